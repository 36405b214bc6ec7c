/* The highest few of an array, one value at a time: what every variant of `highest` keeps. */
#ifndef SOTTO_CHOOSE_SCALAR_H
#define SOTTO_CHOOSE_SCALAR_H

#include <stdint.h>

/* Puts a place among the `count` ≤ `most` found before it, behind those that are as high, dropping the lowest of too
 * many; answers how many there are. */
static inline int64_t keep_highest(const float *values, int64_t place, int32_t *places, int64_t count, int64_t most) {
  int64_t at = count < most ? count : most - 1;
  for (; at > 0 && values[places[at - 1]] < values[place]; at--) places[at] = places[at - 1];
  places[at] = (int32_t)place;
  return count < most ? count + 1 : most;
}

#endif

/* Steps of INT8 codes along K: making them, and products of tiles with panels. Included after <isa>/lanes.h with the words
 * for INT8, and lanes_transpose.h. */
#ifndef SOTTO_LANES_CODES_H
#define SOTTO_LANES_CODES_H

#include "../i8_group.h"
#include "panel.h"
#include "steps.h"

enum { CODES_AT_ONCE = I8_STEP * LANES };

TILE_MULTIPLY(tile_multiply_i8, lanes_dot_i8)

/* Where the sums of a product with this panel begin: in every row alike. */
TILE_INLINE tile_sums tile_begin(const float *beginnings) {
  tile_sums sums;
#pragma GCC unroll 16
  for (int r = 0; r < TILE_ROWS; r++)
#pragma GCC unroll 4
    for (int v = 0; v < TILE_VECTORS; v++) sums.at[r][v] = lanes_load(beginnings + v * LANES);
  return sums;
}

/* max |x| */
TILE_INLINE float largest_of(const float *values, const int64_t count) {
  lanes most[2] = {lanes_zero(), lanes_zero()};
  int64_t i = 0;
#pragma GCC unroll 8
  for (; i + 2 * LANES <= count; i += 2 * LANES) {
    most[0] = lanes_max(most[0], lanes_abs(lanes_load(values + i)));
    most[1] = lanes_max(most[1], lanes_abs(lanes_load(values + i + LANES)));
  }
  for (; i < count; i += LANES)
    most[0] = lanes_max(most[0], lanes_abs(lanes_load_first(values + i, count - i < LANES ? count - i : LANES)));
  return lanes_max_of(lanes_max(most[0], most[1]));
}

/* The codes of LANES steps. */
TILE_INLINE lanes load_codes(const float *values, lanes factor) {
  lanes x[I8_STEP];
#pragma GCC unroll 4
  for (int i = 0; i < I8_STEP; i++) x[i] = lanes_mul(lanes_load(values + i * LANES), factor);
  return lanes_codes(x);
}

#endif

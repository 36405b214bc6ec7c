/* Reading numbers that lie at any byte of a file. */
#ifndef SOTTO_UNALIGNED_H
#define SOTTO_UNALIGNED_H

#include <stdint.h>
#include <string.h>

static inline float f32_at(const void *values, int64_t i) {
  float value;
  memcpy(&value, (const char *)values + i * 4, sizeof value);
  return value;
}

static inline uint16_t u16_at(const void *values, int64_t i) {
  uint16_t value;
  memcpy(&value, (const char *)values + i * 2, sizeof value);
  return value;
}

#endif

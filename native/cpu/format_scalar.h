/* One value, or one block, of each number format: the definition that every kernel has to agree with, bit for bit.
 * Kernels of vectors use it for what is left over. tensor/bfp16.ts and tensor/integers.ts say why. */
#ifndef SOTTO_FORMAT_SCALAR_H
#define SOTTO_FORMAT_SCALAR_H

#include <math.h>
#include <string.h>

#include "format_kernels.h"

static inline uint32_t bits_of_f32(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

static inline float f32_of_bits(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

/* ---- BF16: the upper half of an F32. */

static inline uint16_t bf16_of_f32(float value) {
  const uint32_t bits = bits_of_f32(value);
  if ((bits & 0x7fffffff) > 0x7f800000) return (uint16_t)(bits >> 16 | 0x40); /* quiet NaN */
  return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

static inline float f32_of_bf16(uint16_t code) { return f32_of_bits((uint32_t)code << 16); }

/* ---- BFP16: value = mantissa · 2^(exponent − 133); an exponent of 255 goes on to hold NaN and infinities. */

enum { BFP16_SPECIAL = 255, BFP16_NAN = -128, BFP16_INFINITY = 64 };

/* 2^n as a double, −1022 ≤ n ≤ 1023. */
static inline double power_of_two(int n) {
  const uint64_t bits = (uint64_t)(n + 1023) << 52;
  double value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

/* To nearest, the largest mantissa becomes 128 where its bits below the seventh round up past all ones: adding half of
 * that bit's step carries into the exponent then. Without a hidden bit, in subnormals, the seventh bit is one place
 * lower. */
static inline int bfp16_exponent(uint32_t largest_bits, int is_nearest) {
  if (!is_nearest) return (int)(largest_bits >> 23);
  const uint32_t exponent = (largest_bits + (largest_bits < 0x00800000 ? 0x8000 : 0x10000)) >> 23;
  return exponent < BFP16_SPECIAL ? (int)exponent : BFP16_SPECIAL;
}

static inline int8_t bfp16_mantissa(float value, int exponent, int is_nearest) {
  if (isnan(value)) return BFP16_NAN;
  double m = (double)value * power_of_two(133 - exponent); /* exact */
  if (exponent == BFP16_SPECIAL) m = fmin(fmax(m, -BFP16_INFINITY), BFP16_INFINITY);
  return (int8_t)(is_nearest ? rint(m) : floor(m));
}

/* The first `count` values of a block; the others are 0. */
static inline void bfp16_encode_block(const float *values, int64_t stride, int64_t count, int is_nearest,
                                      uint8_t *block) {
  uint32_t largest = 0;
  for (int64_t i = 0; i < count; i++) {
    const uint32_t magnitude = bits_of_f32(values[i * stride]) & 0x7fffffff;
    if (magnitude > largest) largest = magnitude;
  }
  const int exponent = bfp16_exponent(largest, is_nearest);
  block[0] = (uint8_t)exponent;
  for (int64_t i = 0; i < BFP16_BLOCK; i++)
    block[1 + i] = i < count ? (uint8_t)bfp16_mantissa(values[i * stride], exponent, is_nearest) : 0;
}

static inline void bfp16_decode_block(const uint8_t *block, int64_t count, float *values) {
  const double unit = power_of_two(block[0] - 133);
  for (int64_t i = 0; i < count; i++) {
    const int8_t m = (int8_t)block[1 + i];
    const int is_nan = block[0] == BFP16_SPECIAL && (m > BFP16_INFINITY || m < -BFP16_INFINITY);
    values[i] = is_nan ? NAN : (float)(m * unit);
  }
}

/* ---- INT8. */

/* The least scale: the reciprocal of anything smaller could be infinite. */
#define I8_LEAST_SCALE 0x1p-126f

static inline int8_t i8_of_f32(float value, i8_step step) {
  const float x = value * step.reciprocal;
  const float least = (float)(step.bottom - step.zero), most = (float)(127 - step.zero);
  const float kept = x < least ? least : x > most ? most : x == x ? x : 0;
  return (int8_t)((int32_t)rintf(kept) + step.zero);
}

static inline float f32_of_i8(int8_t code, float scale, int32_t zero) { return (float)(code - zero) * scale; }

static inline void widen_range(float value, float *low, float *high) {
  if (value > *high && value != INFINITY) *high = value;
  if (value < *low && value != -INFINITY) *low = value;
}

#endif

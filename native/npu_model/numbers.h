/* Number formats of the tiles, to the bit. */
#ifndef SOTTO_NPU_NUMBERS_H
#define SOTTO_NPU_NUMBERS_H

#include <math.h>
#include <stdint.h>
#include <string.h>

static inline uint32_t bits_of(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

static inline float float_of(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

/* Which NaN an operation leaves depends on the processor; the model answers with one. */
#define CANONICAL_NAN 0x7fc00000u

static inline float canonical(float value) { return value != value ? float_of(CANONICAL_NAN) : value; }

static inline float bf16_decode(uint16_t code) { return float_of((uint32_t)code << 16); }

/* To the nearest, halves to even. */
static inline uint16_t bf16_encode(float value) {
  if (value != value) return CANONICAL_NAN >> 16;
  const uint32_t bits = bits_of(value);
  return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

/* bfp16ebs8: the shared biased exponent e, then eight mantissas; value = m · 2^(e - 133). */
enum { BFP16_VALUES = 8, BFP16_BYTES = 9, BFP16_TILE_BYTES = 72, BFP16_SPECIAL = 255 };

/* Where e = 255, m = ±64 is infinite and anything beyond is NaN. */
static inline void bfp16_decode(const uint8_t block[BFP16_BYTES], float values[BFP16_VALUES]) {
  const int e = block[0];
  for (int i = 0; i < BFP16_VALUES; i++) {
    const int m = (int8_t)block[1 + i];
    const int is_nan = e == BFP16_SPECIAL && (m > 64 || m < -64);
    values[i] = is_nan ? float_of(CANONICAL_NAN) : (float)ldexp((double)m, e - 133);
  }
}

/* As the hardware narrows: e is the largest biased exponent, mantissas are cut towards minus infinity. */
static inline void bfp16_encode(const float values[BFP16_VALUES], uint8_t block[BFP16_BYTES]) {
  uint32_t largest = 0;
  for (int i = 0; i < BFP16_VALUES; i++) {
    const uint32_t magnitude = bits_of(values[i]) & 0x7fffffff;
    if (magnitude > largest) largest = magnitude;
  }
  const int e = (int)(largest >> 23);
  block[0] = (uint8_t)e;
  for (int i = 0; i < BFP16_VALUES; i++) {
    double m = values[i] != values[i] ? -128 : floor(ldexp((double)values[i], 133 - e));
    if (e == BFP16_SPECIAL && values[i] == values[i]) m = m > 64 ? 64 : m < -64 ? -64 : m;
    block[1 + i] = (uint8_t)(int8_t)m;
  }
}

#endif

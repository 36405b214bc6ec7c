/* Conversions to F32. The Q types are ggml's (ggml-common.h): blocks of 32 values along a row,
 *
 *   Q8_0  d f16, 32 × i8                      value = d · q
 *   Q4_0  d f16, 16 bytes                     value = d · (q − 8)
 *   Q4_1  d f16, m f16, 16 bytes              value = d · q + m
 *   Q5_0  d f16, 4 bytes of fifth bits, 16    value = d · (q − 16)
 *   Q5_1  d f16, m f16, 4 bytes, 16           value = d · q + m
 *
 * where byte i holds the low four bits of value i in its low half and those of value i + 16 in its high half, and bit
 * i of the 32 fifth bits (little-endian) belongs to value i. Products and sums are rounded to F32 once each. */
#include "dtype.h"

#include <string.h>

#include "../include/sotto_cpu.h"

enum { BLOCK = 32 };

const dtype_block *dtype_describe(int64_t dtype) {
  static const dtype_block blocks[] = {
      [SOTTO_F32] = {"F32", 1, 4},       [SOTTO_F16] = {"F16", 1, 2},       [SOTTO_BF16] = {"BF16", 1, 2},
      [SOTTO_Q8_0] = {"Q8_0", BLOCK, 34}, [SOTTO_Q5_0] = {"Q5_0", BLOCK, 22}, [SOTTO_Q5_1] = {"Q5_1", BLOCK, 24},
      [SOTTO_Q4_0] = {"Q4_0", BLOCK, 18}, [SOTTO_Q4_1] = {"Q4_1", BLOCK, 20},
  };
  return dtype >= 0 && dtype < (int64_t)(sizeof blocks / sizeof *blocks) ? &blocks[dtype] : NULL;
}

static inline float float_of_bits(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static inline uint16_t read_u16(const uint8_t *bytes) {
  uint16_t value;
  memcpy(&value, bytes, sizeof value);
  return value;
}

/* Read as F32, a half's exponent and fraction are the value times 2^-112, subnormal halves included; a product with
 * 2^112 is exact. Infinity and NaN come out at 2^16 and above, where no finite half lies. */
static inline float half_bits_to_f32(uint16_t half) {
  float magnitude = float_of_bits((uint32_t)(half & 0x7fff) << 13) * 0x1p112f;
  uint32_t bits;
  memcpy(&bits, &magnitude, sizeof bits);
  if (magnitude >= 0x1p16f) bits |= 0x7f800000u;
  return float_of_bits(bits | (uint32_t)(half & 0x8000) << 16);
}

float f16_to_f32(uint16_t half) { return half_bits_to_f32(half); }

static void q8_0_to_f32(const uint8_t *block, float *out) {
  float scale = half_bits_to_f32(read_u16(block));
  for (int i = 0; i < BLOCK; i++) out[i] = scale * (float)(int8_t)block[2 + i];
}

/* The types of four or five bits: with a minimum the codes begin at 0, without one they lie around the middle code. */
static void nibbles_to_f32(const uint8_t *block, int has_minimum, int has_fifth_bit, float *out) {
  float scale = half_bits_to_f32(read_u16(block));
  float minimum = has_minimum ? half_bits_to_f32(read_u16(block + 2)) : 0.0f;
  int offset = has_minimum ? 0 : has_fifth_bit ? 16 : 8;
  const uint8_t *bits = block + (has_minimum ? 4 : 2);
  const uint8_t *nibbles = bits + (has_fifth_bit ? 4 : 0);
  for (int i = 0; i < BLOCK; i++) {
    int value = i < 16 ? nibbles[i] & 15 : nibbles[i - 16] >> 4;
    if (has_fifth_bit) value |= (bits[i / 8] >> (i % 8) & 1) << 4;
    out[i] = scale * (float)(value - offset) + minimum;
  }
}

void dtype_to_f32(int32_t dtype, const uint8_t *bytes, int64_t count, float *out) {
  const dtype_block *layout = dtype_describe(dtype);
  switch (dtype) {
    case SOTTO_F32:
      memcpy(out, bytes, (size_t)count * sizeof *out);
      return;
    case SOTTO_F16:
      for (int64_t i = 0; i < count; i++) out[i] = half_bits_to_f32(read_u16(bytes + 2 * i));
      return;
    case SOTTO_BF16:
      for (int64_t i = 0; i < count; i++) out[i] = float_of_bits((uint32_t)read_u16(bytes + 2 * i) << 16);
      return;
  }
  for (int64_t i = 0; i < count; i += BLOCK, bytes += layout->bytes, out += BLOCK) {
    if (dtype == SOTTO_Q8_0)
      q8_0_to_f32(bytes, out);
    else
      nibbles_to_f32(bytes, dtype == SOTTO_Q5_1 || dtype == SOTTO_Q4_1, dtype == SOTTO_Q5_0 || dtype == SOTTO_Q5_1, out);
  }
}

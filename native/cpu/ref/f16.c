/* F16: narrowing, and counting what is not a finite number.
 *
 * 1 bit of sign, 5 of exponent (bias 15), 10 of mantissa; an exponent of 31 means infinity or NaN. */
#include "../decoder_kernels.h"
#include "../unaligned.h"

static uint16_t f32_to_f16(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  const uint16_t sign = (uint16_t)(bits >> 16 & 0x8000);
  const uint32_t magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;              /* NaN stays NaN */
  if (magnitude >= 0x477fe000) return sign | 0x7bff;             /* 65504 and above */
  if (magnitude < 0x33000000) return sign;                       /* rounds to 0: below 2^-25 */
  uint32_t kept, rest, half;
  if (magnitude < 0x38800000) { /* below 2^-14: the result is subnormal, in units of 2^-24 */
    const int shift = 126 - (int)(magnitude >> 23);
    const uint32_t mantissa = (magnitude & 0x7fffff) | 0x800000;
    kept = mantissa >> shift;
    rest = mantissa & ((1u << shift) - 1);
    half = 1u << (shift - 1);
  } else {
    kept = (magnitude - 0x38000000) >> 13;
    rest = magnitude & 0x1fff;
    half = 0x1000;
  }
  kept += rest > half || (rest == half && (kept & 1));
  return sign | (uint16_t)kept;
}

void narrow_f32f16_ref(const float *values, int64_t count, void *out) {
  for (int64_t i = 0; i < count; i++) {
    const uint16_t half = f32_to_f16(values[i]);
    memcpy((char *)out + i * 2, &half, sizeof half);
  }
}

int64_t count_non_finite_f16_ref(const void *values, int64_t count) {
  int64_t found = 0;
  for (int64_t i = 0; i < count; i++) found += (u16_at(values, i) & 0x7c00) == 0x7c00;
  return found;
}

int64_t count_non_finite_f32_ref(const void *values, int64_t count) {
  int64_t found = 0;
  for (int64_t i = 0; i < count; i++) {
    uint32_t bits;
    memcpy(&bits, (const char *)values + i * 4, sizeof bits);
    found += (bits & 0x7f800000) == 0x7f800000;
  }
  return found;
}

/* Words for products of INT8, with the dot product of ARMv8.2 (LANES_HAVE_DOT) and without: codes wait as four bytes. */
#ifndef SOTTO_LANES_I8_H
#define SOTTO_LANES_I8_H

#include "lanes.h"

#define I8_STEP 4

static inline int8x16_t lanes_bytes(lanes x) { return vreinterpretq_s8_f32(x); }

/* Rounded to nearest even, four vectors as LANES steps of bytes; |x| ≤ 127.5. */
static inline lanes lanes_codes(const lanes x[4]) {
  const int16x8_t low = vqmovn_high_s32(vqmovn_s32(vcvtnq_s32_f32(x[0])), vcvtnq_s32_f32(x[1]));
  const int16x8_t high = vqmovn_high_s32(vqmovn_s32(vcvtnq_s32_f32(x[2])), vcvtnq_s32_f32(x[3]));
  return vreinterpretq_f32_s8(vqmovn_high_s16(vqmovn_s16(low), high));
}
#if defined(LANES_HAVE_DOT)
/* The same of 0 ≤ x ≤ 255.5, less 128, which the sums make good: both sides are signed here. */
static inline lanes lanes_unsigned_codes(const lanes x[4]) {
  const uint16x8_t low = vqmovn_high_u32(vqmovn_u32(vcvtnq_u32_f32(x[0])), vcvtnq_u32_f32(x[1]));
  const uint16x8_t high = vqmovn_high_u32(vqmovn_u32(vcvtnq_u32_f32(x[2])), vcvtnq_u32_f32(x[3]));
  return vreinterpretq_f32_u8(veorq_u8(vqmovn_high_u16(vqmovn_u16(low), high), vdupq_n_u8(128)));
}
static inline lanes lanes_take_unsigned_offset(lanes codes, lanes sums) {
  const int32x4_t offset = vdotq_s32(vdupq_n_s32(0), vdupq_n_s8(-128), lanes_bytes(codes));
  return vreinterpretq_f32_s32(vsubq_s32(vreinterpretq_s32_f32(sums), offset));
}
/* A step of each lane, of the same lane of four vectors; |x| ≤ 127.5. */
static inline lanes lanes_step_of(const lanes x[4]) {
  const int8x16_t codes = lanes_bytes(lanes_codes(x)); /* vector by vector */
  static const uint8_t order[16] = {0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15};
  return vreinterpretq_f32_s8(vqtbl1q_s8(codes, vld1q_u8(order)));
}
#endif
/* Both sides are signed here. */
static inline lanes lanes_offset_codes(lanes codes) { return codes; }
static inline lanes lanes_take_offset(lanes codes, lanes sums) { return (void)codes, sums; }
static inline lanes lanes_of_integers(lanes sums) { return vcvtq_f32_s32(vreinterpretq_s32_f32(sums)); }

/* INT32 sums + Σ of four products. Without the instruction: sums of two products are at most 2 · 127², which 16 bits
 * hold; four instructions for sixteen products, as many as F32 takes, on a quarter of the bytes. */
static inline __attribute__((always_inline)) lanes lanes_dot_i8(lanes a, lanes b, lanes sums) {
  const int8x16_t x = lanes_bytes(a), y = lanes_bytes(b);
  const int32x4_t s = vreinterpretq_s32_f32(sums);
#if defined(LANES_HAVE_DOT)
  return vreinterpretq_f32_s32(vdotq_s32(s, x, y));
#else
  const int16x8_t pairs = vpaddq_s16(vmull_s8(vget_low_s8(x), vget_low_s8(y)), vmull_high_s8(x, y));
  return vreinterpretq_f32_s32(vpadalq_s16(s, pairs));
#endif
}

#endif

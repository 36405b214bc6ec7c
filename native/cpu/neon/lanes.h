/* Four F32 at a time: the words that the kernels of ../lanes are written in, in the vectors that every aarch64 has
 * (ARMv8.0 ASIMD). `…_first(p, n)` touches the first n elements alone and reads the others as 0. */
#ifndef SOTTO_LANES_H
#define SOTTO_LANES_H

#include <arm_neon.h>
#include <stdint.h>
#include <string.h>

#define LANES 4
#define LANES_KERNEL(name) name##_neon
/* Tiles that fit 32 registers; of INT8 a block of 16 rows of weights is four vectors of sums for each row of x. */
#define PROJECT_ROWS 4
#define PROJECT_COLUMNS(rows) 4
#define PROJECT_I8_BLOCKS(rows) 1
#define COMBINE_ROWS 5

/* Nothing to hold: no instruction that computes reads memory. */
#define LANES_KEEP(x) ((void)(x))

typedef float32x4_t lanes;

static inline lanes lanes_zero(void) { return vdupq_n_f32(0); }
/* A value from memory goes to a register first: a multiplication takes one element of a register as all four, while
 * loading into all four (ld1r) keeps a multiplier busy on many processors. */
static inline __attribute__((always_inline)) lanes lanes_set(float x) {
  if (!__builtin_constant_p(x)) __asm__("" : "+w"(x));
  return vdupq_n_f32(x);
}
/* By bytes: what is read may be aligned to no more. */
static inline lanes lanes_load(const void *p) { return vreinterpretq_f32_u8(vld1q_u8((const uint8_t *)p)); }
static inline lanes lanes_load_first(const void *p, int64_t n) {
  if (n >= LANES) return lanes_load(p);
  float copy[LANES] = {0};
  for (int64_t i = 0; i < n; i++) memcpy(copy + i, (const char *)p + i * 4, 4);
  return lanes_load(copy);
}
static inline void lanes_store(float *p, lanes x) { vst1q_f32(p, x); }
static inline void lanes_store_first(float *p, int64_t n, lanes x) {
  float copy[LANES];
  lanes_store(copy, x);
  for (int64_t i = 0; i < n && i < LANES; i++) p[i] = copy[i];
}
static inline lanes lanes_load_f16(const void *p) {
  return vcvt_f32_f16(vreinterpret_f16_u8(vld1_u8((const uint8_t *)p)));
}
static inline lanes lanes_load_f16_first(const void *p, int64_t n) {
  uint16_t copy[LANES] = {0};
  memcpy(copy, p, (size_t)n * 2);
  return lanes_load_f16(copy);
}
static inline lanes lanes_load_i16(const void *p) {
  return vcvtq_f32_s32(vmovl_s16(vreinterpret_s16_u8(vld1_u8((const uint8_t *)p))));
}
static inline lanes lanes_load_i16_first(const void *p, int64_t n) {
  int16_t copy[LANES] = {0};
  memcpy(copy, p, (size_t)n * 2);
  return lanes_load_i16(copy);
}
/* Whole numbers: I8 as I16 (2 · LANES), one pair of I16 for all lanes; sums of two products each in I32, exactly. First
 * numbers of pairs are brought together before the second, as multiplications take half a vector each. */
typedef int32x4_t lanes_i32;
static inline lanes_i32 lanes_zero_i32(void) { return vdupq_n_s32(0); }
static inline lanes_i32 lanes_widen_i8(const void *p) {
  const uint8x8_t order = vcreate_u8(0x0705030106040200);
  return vreinterpretq_s32_s16(vmovl_s8(vreinterpret_s8_u8(vtbl1_u8(vld1_u8((const uint8_t *)p), order))));
}
static inline lanes_i32 lanes_pair_i16(const int16_t *p) {
  return vreinterpretq_s32_s16(vcombine_s16(vdup_n_s16(p[0]), vdup_n_s16(p[1])));
}
static inline lanes_i32 lanes_dot_i16(lanes_i32 sum, lanes_i32 a, lanes_i32 b) {
  const int16x8_t x = vreinterpretq_s16_s32(a), y = vreinterpretq_s16_s32(b);
  return vmlal_high_s16(vmlal_s16(sum, vget_low_s16(x), vget_low_s16(y)), x, y);
}
static inline lanes_i32 lanes_add_i32(lanes_i32 a, lanes_i32 b) { return vaddq_s32(a, b); }
static inline lanes lanes_from_i32(lanes_i32 x) { return vcvtq_f32_s32(x); }
/* To the nearest integer; beyond the range, to its end. */
static inline void lanes_store_i16_first(void *p, int64_t n, lanes x) {
  int16_t copy[LANES];
  vst1_s16(copy, vqmovn_s32(vcvtnq_s32_f32(x)));
  memcpy(p, copy, (size_t)n * 2);
}
static inline void lanes_store_f16(void *p, lanes x) {
  vst1_u8((uint8_t *)p, vreinterpret_u8_f16(vcvt_f16_f32(x)));
}

static inline lanes lanes_add(lanes a, lanes b) { return vaddq_f32(a, b); }
static inline lanes lanes_sub(lanes a, lanes b) { return vsubq_f32(a, b); }
static inline lanes lanes_mul(lanes a, lanes b) { return vmulq_f32(a, b); }
static inline lanes lanes_div(lanes a, lanes b) { return vdivq_f32(a, b); }
static inline lanes lanes_abs(lanes x) { return vabsq_f32(x); }
static inline lanes lanes_max(lanes a, lanes b) { return vmaxq_f32(a, b); }
static inline lanes lanes_min(lanes a, lanes b) { return vminq_f32(a, b); }
/* a·b + c, and c − a·b */
static inline lanes lanes_fma(lanes a, lanes b, lanes c) { return vfmaq_f32(c, a, b); }
static inline lanes lanes_fnma(lanes a, lanes b, lanes c) { return vfmsq_f32(c, a, b); }
/* To the nearest integer, ties to even. */
static inline lanes lanes_round(lanes x) { return vrndnq_f32(x); }
/* x · 2^n for |x| in ½…2 and whole n below 127; with n below −126, something from 0 to 2^-125. */
static inline lanes lanes_scale(lanes x, lanes n) {
  const int32x4_t biased = vaddq_s32(vcvtq_s32_f32(vmaxq_f32(n, vdupq_n_f32(-126.0f))), vdupq_n_s32(127));
  return vmulq_f32(x, vreinterpretq_f32_s32(vshlq_n_s32(biased, 23)));
}
/* x − ⌊x⌋, and p · 2^⌊x⌋ of p in ½…2 and x below 127 as lanes_scale has it. */
static inline lanes lanes_fraction(lanes x) { return vsubq_f32(x, vrndmq_f32(x)); }
static inline lanes lanes_scale_whole(lanes p, lanes x) { return lanes_scale(p, vrndmq_f32(x)); }
/* x = m · 2^e of a positive normal x, m in [√½, √2). */
static inline void lanes_split(lanes x, lanes *m, lanes *e) {
  const int32x4_t exponent = vshrq_n_s32(vsubq_s32(vreinterpretq_s32_f32(x), vdupq_n_s32(0x3f3504f3)), 23);
  *e = vcvtq_f32_s32(exponent);
  *m = vreinterpretq_f32_s32(vsubq_s32(vreinterpretq_s32_f32(x), vshlq_n_s32(exponent, 23)));
}
/* y where x ≥ limit, else 0. */
static inline lanes lanes_zero_below(lanes x, float limit, lanes y) {
  return vreinterpretq_f32_u32(vandq_u32(vcgeq_f32(x, vdupq_n_f32(limit)), vreinterpretq_u32_f32(y)));
}
/* Whether some element exceeds the limit. */
static inline int lanes_any_above(lanes x, float limit) { return vmaxvq_u32(vcgtq_f32(x, vdupq_n_f32(limit))) != 0; }
static inline float lanes_max_of(lanes x) { return vmaxvq_f32(x); }
static inline float lanes_sum_of(lanes x) { return vaddvq_f32(x); }

/* The sums of four vectors' elements. */
static inline void lanes_sum4(lanes a, lanes b, lanes c, lanes d, float *out) {
  lanes_store(out, vpaddq_f32(vpaddq_f32(a, b), vpaddq_f32(c, d)));
}

#endif

/* Eight F32 at a time: the words that the kernels of ../lanes are written in, in AVX2 with FMA and F16C.
 * `…_first(p, n)` touches the first n elements alone and reads the others as 0. */
#ifndef SOTTO_LANES_H
#define SOTTO_LANES_H

#include <immintrin.h>
#include <stdint.h>
#include <string.h>

#define LANES 8
#define LANES_KERNEL(name) name##_avx2
/* Tiles that fit 16 registers. */
#define PROJECT_ROWS 4
#define PROJECT_COLUMNS(rows) ((rows) <= 2 ? 4 : 3)
#define PROJECT_I8_BLOCKS(rows) 1
#define COMBINE_ROWS 2

/* Holds a value in a register: compilers load it again for each use instead, and loads are what runs out. */
#define LANES_KEEP(x) __asm__("" : "+x"(x))

typedef __m256 lanes;

static inline __m256i lanes_mask(int64_t n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
static inline lanes lanes_zero(void) { return _mm256_setzero_ps(); }
static inline lanes lanes_set(float x) { return _mm256_set1_ps(x); }
static inline lanes lanes_load(const void *p) { return _mm256_loadu_ps((const float *)p); }
static inline lanes lanes_load_first(const void *p, int64_t n) { return _mm256_maskload_ps((const float *)p, lanes_mask(n)); }
static inline void lanes_store(float *p, lanes x) { _mm256_storeu_ps(p, x); }
static inline void lanes_store_first(float *p, int64_t n, lanes x) { _mm256_maskstore_ps(p, lanes_mask(n), x); }
static inline lanes lanes_load_f16(const void *p) { return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p)); }
static inline lanes lanes_load_f16_first(const void *p, int64_t n) {
  uint16_t copy[8] = {0};
  memcpy(copy, p, (size_t)n * 2);
  return lanes_load_f16(copy);
}
static inline lanes lanes_load_i16(const void *p) {
  return _mm256_cvtepi32_ps(_mm256_cvtepi16_epi32(_mm_loadu_si128((const __m128i *)p)));
}
static inline lanes lanes_load_i16_first(const void *p, int64_t n) {
  int16_t copy[8] = {0};
  memcpy(copy, p, (size_t)n * 2);
  return lanes_load_i16(copy);
}
/* Whole numbers: I8 as I16 (2 · LANES), one pair of I16 for all lanes; sums of two products each in I32, exactly. */
typedef __m256i lanes_i32;
static inline lanes_i32 lanes_zero_i32(void) { return _mm256_setzero_si256(); }
static inline lanes_i32 lanes_widen_i8(const void *p) { return _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)p)); }
static inline lanes_i32 lanes_pair_i16(const int16_t *p) {
  int32_t both;
  __builtin_memcpy(&both, p, sizeof both);
  return _mm256_set1_epi32(both);
}
static inline lanes_i32 lanes_add_i32(lanes_i32 a, lanes_i32 b) { return _mm256_add_epi32(a, b); }
static inline lanes_i32 lanes_dot_i16(lanes_i32 sum, lanes_i32 a, lanes_i32 b) {
  return _mm256_add_epi32(sum, _mm256_madd_epi16(a, b));
}
static inline lanes lanes_from_i32(lanes_i32 x) { return _mm256_cvtepi32_ps(x); }
/* To the nearest integer; beyond the range, to its end. */
static inline void lanes_store_i16_first(void *p, int64_t n, lanes x) {
  const __m256i whole = _mm256_cvtps_epi32(x);
  int16_t copy[8];
  _mm_storeu_si128((__m128i *)copy, _mm_packs_epi32(_mm256_castsi256_si128(whole), _mm256_extracti128_si256(whole, 1)));
  memcpy(p, copy, (size_t)n * 2);
}
static inline void lanes_store_f16(void *p, lanes x) {
  _mm_storeu_si128((__m128i *)p, _mm256_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}

static inline lanes lanes_add(lanes a, lanes b) { return _mm256_add_ps(a, b); }
static inline lanes lanes_sub(lanes a, lanes b) { return _mm256_sub_ps(a, b); }
static inline lanes lanes_mul(lanes a, lanes b) { return _mm256_mul_ps(a, b); }
static inline lanes lanes_div(lanes a, lanes b) { return _mm256_div_ps(a, b); }
static inline lanes lanes_abs(lanes x) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), x); }
static inline lanes lanes_max(lanes a, lanes b) { return _mm256_max_ps(a, b); }
static inline lanes lanes_min(lanes a, lanes b) { return _mm256_min_ps(a, b); }
/* a·b + c, and c − a·b */
static inline lanes lanes_fma(lanes a, lanes b, lanes c) { return _mm256_fmadd_ps(a, b, c); }
static inline lanes lanes_fnma(lanes a, lanes b, lanes c) { return _mm256_fnmadd_ps(a, b, c); }
/* To the nearest integer, ties to even. */
static inline lanes lanes_round(lanes x) {
  return _mm256_round_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
/* x · 2^n for |x| in ½…2 and whole n below 127; with n below −126, something from 0 to 2^-125. */
static inline lanes lanes_scale(lanes x, lanes n) {
  __m256i biased = _mm256_add_epi32(_mm256_cvtps_epi32(_mm256_max_ps(n, _mm256_set1_ps(-126.0f))), _mm256_set1_epi32(127));
  return _mm256_mul_ps(x, _mm256_castsi256_ps(_mm256_slli_epi32(biased, 23)));
}
/* x − ⌊x⌋, and p · 2^⌊x⌋ of p in ½…2 and x below 127 as lanes_scale has it. */
static inline lanes lanes_fraction(lanes x) { return _mm256_sub_ps(x, _mm256_floor_ps(x)); }
static inline lanes lanes_scale_whole(lanes p, lanes x) { return lanes_scale(p, _mm256_floor_ps(x)); }
/* x = m · 2^e of a positive normal x, m in [√½, √2). */
static inline void lanes_split(lanes x, lanes *m, lanes *e) {
  __m256i shifted = _mm256_sub_epi32(_mm256_castps_si256(x), _mm256_set1_epi32(0x3f3504f3));
  __m256i exponent = _mm256_srai_epi32(shifted, 23);
  *e = _mm256_cvtepi32_ps(exponent);
  *m = _mm256_castsi256_ps(_mm256_sub_epi32(_mm256_castps_si256(x), _mm256_slli_epi32(exponent, 23)));
}
/* y where x ≥ limit, else 0. */
static inline lanes lanes_zero_below(lanes x, float limit, lanes y) {
  return _mm256_and_ps(_mm256_cmp_ps(x, _mm256_set1_ps(limit), _CMP_GE_OQ), y);
}
/* Whether some element exceeds the limit. */
static inline int lanes_any_above(lanes x, float limit) {
  return _mm256_movemask_ps(_mm256_cmp_ps(x, _mm256_set1_ps(limit), _CMP_GT_OQ)) != 0;
}
static inline float lanes_max_of(lanes x) {
  __m128 m = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
  m = _mm_max_ps(m, _mm_movehl_ps(m, m));
  return _mm_cvtss_f32(_mm_max_ss(m, _mm_movehdup_ps(m)));
}

/* The sums of four vectors' elements. */
static inline void lanes_sum4(lanes a, lanes b, lanes c, lanes d, float *out) {
  __m256 ab = _mm256_add_ps(_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
  __m256 cd = _mm256_add_ps(_mm256_unpacklo_ps(c, d), _mm256_unpackhi_ps(c, d));
  __m256 abcd = _mm256_add_ps(_mm256_shuffle_ps(ab, cd, 0x44), _mm256_shuffle_ps(ab, cd, 0xee));
  _mm_storeu_ps(out, _mm_add_ps(_mm256_castps256_ps128(abcd), _mm256_extractf128_ps(abcd, 1)));
}
static inline float lanes_sum_of(lanes x) {
  float sums[4];
  lanes_sum4(x, lanes_zero(), lanes_zero(), lanes_zero(), sums);
  return sums[0];
}

#endif

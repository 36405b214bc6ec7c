/* Sixteen F32 at a time: the words that the kernels of ../lanes are written in, in AVX-512 (F, VL, BW, DQ).
 * `…_first(p, n)` touches the first n elements alone and reads the others as 0. */
#ifndef SOTTO_LANES_H
#define SOTTO_LANES_H

#include <immintrin.h>
#include <stdint.h>

#define LANES 16
#define LANES_KERNEL(name) name##_avx512
/* Tiles that fit 32 registers; measured on Zen 5. */
#define PROJECT_ROWS 8
#define PROJECT_COLUMNS(rows) ((rows) <= 6 ? 4 : 3)
#define PROJECT_I8_BLOCKS(rows) ((rows) == 1 ? 1 : 2)
#define COMBINE_ROWS 5

/* Holds a value in a register: compilers load it again for each use instead, and loads are what runs out. */
#define LANES_KEEP(x) __asm__("" : "+v"(x))

typedef __m512 lanes;

static inline __mmask16 lanes_mask(int64_t n) { return (__mmask16)((1u << n) - 1u); }
static inline lanes lanes_zero(void) { return _mm512_setzero_ps(); }
static inline lanes lanes_set(float x) { return _mm512_set1_ps(x); }
static inline lanes lanes_load(const void *p) { return _mm512_loadu_ps(p); }
static inline lanes lanes_load_first(const void *p, int64_t n) { return _mm512_maskz_loadu_ps(lanes_mask(n), p); }
static inline void lanes_store(float *p, lanes x) { _mm512_storeu_ps(p, x); }
static inline void lanes_store_first(float *p, int64_t n, lanes x) { _mm512_mask_storeu_ps(p, lanes_mask(n), x); }
static inline lanes lanes_load_f16(const void *p) { return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)p)); }
static inline lanes lanes_load_f16_first(const void *p, int64_t n) {
  return _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(lanes_mask(n), p));
}
static inline lanes lanes_load_i16(const void *p) {
  return _mm512_cvtepi32_ps(_mm512_cvtepi16_epi32(_mm256_loadu_si256((const __m256i *)p)));
}
static inline lanes lanes_load_i16_first(const void *p, int64_t n) {
  return _mm512_cvtepi32_ps(_mm512_cvtepi16_epi32(_mm256_maskz_loadu_epi16(lanes_mask(n), p)));
}
/* Whole numbers: I8 as I16 (2 · LANES), one pair of I16 for all lanes; sums of two products each in I32, exactly. */
typedef __m512i lanes_i32;
static inline lanes_i32 lanes_zero_i32(void) { return _mm512_setzero_si512(); }
static inline lanes_i32 lanes_widen_i8(const void *p) { return _mm512_cvtepi8_epi16(_mm256_loadu_si256((const __m256i *)p)); }
static inline lanes_i32 lanes_pair_i16(const int16_t *p) {
  int32_t both;
  __builtin_memcpy(&both, p, sizeof both);
  return _mm512_set1_epi32(both);
}
static inline lanes_i32 lanes_add_i32(lanes_i32 a, lanes_i32 b) { return _mm512_add_epi32(a, b); }
static inline lanes_i32 lanes_dot_i16(lanes_i32 sum, lanes_i32 a, lanes_i32 b) {
#ifdef __AVX512VNNI__
  return _mm512_dpwssd_epi32(sum, a, b);
#else
  return _mm512_add_epi32(sum, _mm512_madd_epi16(a, b));
#endif
}
static inline lanes lanes_from_i32(lanes_i32 x) { return _mm512_cvtepi32_ps(x); }
/* To the nearest integer; beyond the range, to its end. */
static inline void lanes_store_i16_first(void *p, int64_t n, lanes x) {
  _mm256_mask_storeu_epi16(p, lanes_mask(n), _mm512_cvtsepi32_epi16(_mm512_cvtps_epi32(x)));
}
static inline void lanes_store_f16(void *p, lanes x) {
  _mm256_storeu_si256((__m256i *)p, _mm512_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}

static inline lanes lanes_add(lanes a, lanes b) { return _mm512_add_ps(a, b); }
static inline lanes lanes_sub(lanes a, lanes b) { return _mm512_sub_ps(a, b); }
static inline lanes lanes_mul(lanes a, lanes b) { return _mm512_mul_ps(a, b); }
static inline lanes lanes_div(lanes a, lanes b) { return _mm512_div_ps(a, b); }
static inline lanes lanes_abs(lanes x) { return _mm512_abs_ps(x); }
static inline lanes lanes_max(lanes a, lanes b) { return _mm512_max_ps(a, b); }
static inline lanes lanes_min(lanes a, lanes b) { return _mm512_min_ps(a, b); }
/* a·b + c, and c − a·b */
static inline lanes lanes_fma(lanes a, lanes b, lanes c) { return _mm512_fmadd_ps(a, b, c); }
static inline lanes lanes_fnma(lanes a, lanes b, lanes c) { return _mm512_fnmadd_ps(a, b, c); }
/* To the nearest integer, ties to even. */
static inline lanes lanes_round(lanes x) {
  return _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
/* x · 2^n for |x| in ½…2 and whole n below 127; with n below −126, something from 0 to 2^-125. */
static inline lanes lanes_scale(lanes x, lanes n) { return _mm512_scalef_ps(x, n); }
/* x − ⌊x⌋, and p · 2^⌊x⌋ of p in ½…2 and x below 127 as lanes_scale has it. */
static inline lanes lanes_fraction(lanes x) { return _mm512_reduce_ps(x, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC); }
static inline lanes lanes_scale_whole(lanes p, lanes x) { return _mm512_scalef_ps(p, x); }
/* x = m · 2^e of a positive normal x, m in [√½, √2). */
static inline void lanes_split(lanes x, lanes *m, lanes *e) {
  __m512i shifted = _mm512_sub_epi32(_mm512_castps_si512(x), _mm512_set1_epi32(0x3f3504f3));
  __m512i exponent = _mm512_srai_epi32(shifted, 23);
  *e = _mm512_cvtepi32_ps(exponent);
  *m = _mm512_castsi512_ps(_mm512_sub_epi32(_mm512_castps_si512(x), _mm512_slli_epi32(exponent, 23)));
}
/* y where x ≥ limit, else 0. */
static inline lanes lanes_zero_below(lanes x, float limit, lanes y) {
  return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(x, _mm512_set1_ps(limit), _CMP_GE_OQ), y);
}
/* Whether some element exceeds the limit. */
static inline int lanes_any_above(lanes x, float limit) {
  return _mm512_cmp_ps_mask(x, _mm512_set1_ps(limit), _CMP_GT_OQ) != 0;
}
static inline float lanes_max_of(lanes x) { return _mm512_reduce_max_ps(x); }
static inline float lanes_sum_of(lanes x) { return _mm512_reduce_add_ps(x); }

/* The sums of four vectors' elements. */
static inline void lanes_sum4(lanes a, lanes b, lanes c, lanes d, float *out) {
  __m512 ab = _mm512_add_ps(_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b));
  __m512 cd = _mm512_add_ps(_mm512_unpacklo_ps(c, d), _mm512_unpackhi_ps(c, d));
  __m512 abcd = _mm512_add_ps(_mm512_shuffle_ps(ab, cd, 0x44), _mm512_shuffle_ps(ab, cd, 0xee));
  __m256 half = _mm256_add_ps(_mm512_castps512_ps256(abcd), _mm512_extractf32x8_ps(abcd, 1));
  _mm_storeu_ps(out, _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1)));
}

#endif

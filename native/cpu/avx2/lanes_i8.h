/* Words for products of INT8 that AVX2 with and without AVX-VNNI share. Codes wait as 16 bits or as bytes. */
#ifndef SOTTO_LANES_I8_H
#define SOTTO_LANES_I8_H

#include "lanes.h"

static inline __m256i lanes_integers(lanes x) { return _mm256_cvtps_epi32(x); }
static inline lanes lanes_of_integers(lanes sums) { return _mm256_cvtepi32_ps(_mm256_castps_si256(sums)); }

#if defined(LANES_MULTIPLY_BYTES)
#define I8_STEP 4

/* Rounded to nearest even, four vectors as LANES steps of bytes; |x| ≤ 127.5. */
static inline lanes lanes_codes(const lanes x[4]) {
  const __m256i low = _mm256_packs_epi32(lanes_integers(x[0]), lanes_integers(x[1]));
  const __m256i high = _mm256_packs_epi32(lanes_integers(x[2]), lanes_integers(x[3]));
  const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
  return _mm256_castsi256_ps(_mm256_permutevar8x32_epi32(_mm256_packs_epi16(low, high), order));
}
/* The same of 0 ≤ x ≤ 255.5, for the unsigned side; nothing is left to take away. */
static inline lanes lanes_unsigned_codes(const lanes x[4]) {
  const __m256i low = _mm256_packs_epi32(lanes_integers(x[0]), lanes_integers(x[1]));
  const __m256i high = _mm256_packs_epi32(lanes_integers(x[2]), lanes_integers(x[3]));
  const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
  return _mm256_castsi256_ps(_mm256_permutevar8x32_epi32(_mm256_packus_epi16(low, high), order));
}
static inline lanes lanes_take_unsigned_offset(lanes codes, lanes sums) { return (void)codes, sums; }
/* A step of each lane, of the same lane of four vectors; |x| ≤ 127.5. */
static inline lanes lanes_step_of(const lanes x[4]) {
  const __m256i low = _mm256_blend_epi16(lanes_integers(x[0]), _mm256_slli_epi32(lanes_integers(x[2]), 16), 0xaa);
  const __m256i high = _mm256_blend_epi16(lanes_integers(x[1]), _mm256_slli_epi32(lanes_integers(x[3]), 16), 0xaa);
  return _mm256_castsi256_ps(_mm256_blendv_epi8(low, _mm256_slli_epi16(high, 8), _mm256_set1_epi16(-256)));
}
/* code + 128: the sign bit turned. */
static inline lanes lanes_offset_codes(lanes codes) {
  return _mm256_castsi256_ps(_mm256_xor_si256(_mm256_castps_si256(codes), _mm256_set1_epi8(-128)));
}
/* INT32 sums + Σ of four products, a unsigned and b signed; nothing saturates. ../avx512vnni/lanes.h says why no
 * intrinsic; and compilers older than GCC 11 have none. */
static inline __attribute__((always_inline)) lanes lanes_dot_i8(lanes a, lanes b, lanes sums) {
  __asm__("%{vex%} vpdpbusd %2, %1, %0" : "+x"(sums) : "x"(a), "x"(b));
  return sums;
}
/* sums − 128 · Σ codes */
static inline lanes lanes_take_offset(lanes codes, lanes sums) {
  const __m256i offset = _mm256_castps_si256(lanes_dot_i8(_mm256_castsi256_ps(_mm256_set1_epi8(-128)), codes, lanes_zero()));
  return _mm256_castsi256_ps(_mm256_sub_epi32(_mm256_castps_si256(sums), offset));
}
#else
/* vpmaddubsw would multiply bytes, but it saturates at 16 bits: 2 · 127 · 255 does not fit. */
#define I8_STEP 2

/* Rounded to nearest even, two vectors as LANES steps of 16-bit words. */
static inline lanes lanes_codes(const lanes x[2]) {
  const __m256i packed = _mm256_packs_epi32(lanes_integers(x[0]), lanes_integers(x[1]));
  return _mm256_castsi256_ps(_mm256_permute4x64_epi64(packed, 0xd8));
}
static inline lanes lanes_offset_codes(lanes codes) { return codes; }
static inline lanes lanes_take_offset(lanes codes, lanes sums) { return (void)codes, sums; }
/* INT32 sums + Σ of two products. */
static inline lanes lanes_dot_i8(lanes a, lanes b, lanes sums) {
  const __m256i products = _mm256_madd_epi16(_mm256_castps_si256(a), _mm256_castps_si256(b));
  return _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(sums), products));
}
#endif

#endif

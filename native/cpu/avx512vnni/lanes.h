/* The words of AVX-512 (../avx512/lanes.h), and products of bytes. */
#include "../avx512/lanes.h"

#ifndef SOTTO_LANES_I8_H
#define SOTTO_LANES_I8_H

#undef LANES_KERNEL
#define LANES_KERNEL(name) name##_avx512vnni

#define I8_STEP 4

/* Rounded to nearest even, four vectors as LANES steps of bytes; |x| ≤ 127.5. */
static inline lanes lanes_codes(const lanes x[4]) {
  const __m512i low = _mm512_packs_epi32(_mm512_cvtps_epi32(x[0]), _mm512_cvtps_epi32(x[1]));
  const __m512i high = _mm512_packs_epi32(_mm512_cvtps_epi32(x[2]), _mm512_cvtps_epi32(x[3]));
  /* Packing works inside each 128 bits: element 4q + v then holds step q of vector v. */
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  return _mm512_castsi512_ps(_mm512_permutexvar_epi32(order, _mm512_packs_epi16(low, high)));
}
/* The same of 0 ≤ x ≤ 255.5, for the unsigned side; nothing is left to take away. */
static inline lanes lanes_unsigned_codes(const lanes x[4]) {
  const __m512i low = _mm512_packs_epi32(_mm512_cvtps_epi32(x[0]), _mm512_cvtps_epi32(x[1]));
  const __m512i high = _mm512_packs_epi32(_mm512_cvtps_epi32(x[2]), _mm512_cvtps_epi32(x[3]));
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  return _mm512_castsi512_ps(_mm512_permutexvar_epi32(order, _mm512_packus_epi16(low, high)));
}
static inline lanes lanes_take_unsigned_offset(lanes codes, lanes sums) { return (void)codes, sums; }
/* A step of each lane, of the same lane of four vectors; |x| ≤ 127.5. */
static inline lanes lanes_step_of(const lanes x[4]) {
  const __m512i low = _mm512_mask_blend_epi16(0xaaaaaaaa, _mm512_cvtps_epi32(x[0]), _mm512_slli_epi32(_mm512_cvtps_epi32(x[2]), 16));
  const __m512i high = _mm512_mask_blend_epi16(0xaaaaaaaa, _mm512_cvtps_epi32(x[1]), _mm512_slli_epi32(_mm512_cvtps_epi32(x[3]), 16));
  return _mm512_castsi512_ps(_mm512_mask_blend_epi8(0xaaaaaaaaaaaaaaaa, low, _mm512_slli_epi16(high, 8)));
}
/* code + 128: the sign bit turned. */
static inline lanes lanes_offset_codes(lanes codes) {
  return _mm512_castsi512_ps(_mm512_xor_si512(_mm512_castps_si512(codes), _mm512_set1_epi8(-128)));
}
/* INT32 sums + Σ of four products, a unsigned and b signed; nothing saturates. The intrinsic does the same, but sums that
 * are called F32 between it make GCC 12 move and spill each of them in the innermost loop: half the speed. */
static inline __attribute__((always_inline)) lanes lanes_dot_i8(lanes a, lanes b, lanes sums) {
  __asm__("vpdpbusd %2, %1, %0" : "+v"(sums) : "v"(a), "v"(b));
  return sums;
}
/* sums − 128 · Σ codes */
static inline lanes lanes_take_offset(lanes codes, lanes sums) {
  const __m512i offset = _mm512_castps_si512(lanes_dot_i8(_mm512_castsi512_ps(_mm512_set1_epi8(-128)), codes, lanes_zero()));
  return _mm512_castsi512_ps(_mm512_sub_epi32(_mm512_castps_si512(sums), offset));
}
static inline lanes lanes_of_integers(lanes sums) { return _mm512_cvtepi32_ps(_mm512_castps_si512(sums)); }

#endif

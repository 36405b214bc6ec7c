/* The words of AVX-512 (../avx512/lanes.h), and products of BF16 pairs. */
#include "../avx512vnni/lanes.h"

#ifndef SOTTO_LANES_BF16_H
#define SOTTO_LANES_BF16_H

#undef LANES_KERNEL
#define LANES_KERNEL(name) name##_avx512bf16

#define LANES_PAIRS_ARE_BF16

/* Two vectors, one behind the other, as LANES pairs of BF16; to nearest even, subnormals to 0. */
static inline lanes lanes_pairs(lanes first, lanes second) { return (lanes)_mm512_cvtne2ps_pbh(second, first); }
/* The reverse of lanes_pairs. */
static inline void lanes_of_pairs(lanes pairs, lanes *first, lanes *second) {
  const __m512i bits = _mm512_castps_si512(pairs);
  *first = _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm512_castsi512_si256(bits)), 16));
  *second = _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(bits, 1)), 16));
}
/* Pairs of equal elements of two vectors. */
static inline lanes lanes_pair_up(lanes even, lanes odd) {
  const __m512i low = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(even));
  const __m512i high = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(odd));
  return _mm512_castsi512_ps(_mm512_or_si512(low, _mm512_slli_epi32(high, 16)));
}
/* a₀·b₀ + a₁·b₁ + c */
static inline lanes lanes_dot_bf16(lanes a, lanes b, lanes c) {
  return _mm512_dpbf16_ps(c, (__m512bh)a, (__m512bh)b);
}

#endif

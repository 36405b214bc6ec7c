/* The words of AVX-512 (../avx512/lanes.h), and multiply-adds of F16 pairs. */
#include "../avx512vnni/lanes.h"

#ifndef SOTTO_LANES_F16_H
#define SOTTO_LANES_F16_H

#undef LANES_KERNEL
#define LANES_KERNEL(name) name##_avx512fp16

/* Two vectors, one behind the other, as LANES pairs of F16; to nearest even, beyond 65504 to it. */
static inline __m256i lanes_f16(lanes x) {
  const lanes most = lanes_set(65504.0f);
  return _mm512_cvtps_ph(lanes_max(lanes_min(x, most), lanes_sub(lanes_zero(), most)),
                         _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
static inline lanes lanes_pairs(lanes first, lanes second) {
  return _mm512_castsi512_ps(_mm512_inserti64x4(_mm512_castsi256_si512(lanes_f16(first)), lanes_f16(second), 1));
}
/* Pairs of equal elements of two vectors. */
static inline lanes lanes_pair_up(lanes even, lanes odd) {
  const __m512i low = _mm512_cvtepu16_epi32(lanes_f16(even)), high = _mm512_cvtepu16_epi32(lanes_f16(odd));
  return _mm512_castsi512_ps(_mm512_or_si512(low, _mm512_slli_epi32(high, 16)));
}
/* Both halves of each pair, for itself: a·b + c in F16. */
static inline lanes lanes_fma_f16(lanes a, lanes b, lanes c);
/* The halves of each pair added up, in F32. */
static inline lanes lanes_sum_halves(lanes pairs) {
  const __m512i bits = _mm512_castps_si512(pairs);
  const lanes even = _mm512_cvtph_ps(_mm512_cvtepi32_epi16(bits));
  return lanes_add(even, _mm512_cvtph_ps(_mm512_cvtepi32_epi16(_mm512_srli_epi32(bits, 16))));
}

#if !defined(F16_IS_EMULATED)
/* In assembler for the reason ../avx512vnni/lanes.h gives; and compilers older than GCC 12 then need not know it. */
static inline __attribute__((always_inline)) lanes lanes_fma_f16(lanes a, lanes b, lanes c) {
  __asm__("vfmadd231ph %2, %1, %0" : "+v"(c) : "v"(a), "v"(b));
  return c;
}
#endif

#endif

/* BF16, sixteen values at a time. AVX-512's own conversion is not used: it makes zeros of subnormals. */
#include <immintrin.h>

#include "../format_scalar.h"

static inline __m256i narrow_8(__m256i bits) {
  const __m256i upper = _mm256_srli_epi32(bits, 16);
  const __m256i odd = _mm256_and_si256(upper, _mm256_set1_epi32(1));
  const __m256i rounded =
      _mm256_srli_epi32(_mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff))), 16);
  const __m256i magnitude = _mm256_and_si256(bits, _mm256_set1_epi32(0x7fffffff));
  const __m256i is_nan = _mm256_cmpgt_epi32(magnitude, _mm256_set1_epi32(0x7f800000));
  return _mm256_blendv_epi8(rounded, _mm256_or_si256(upper, _mm256_set1_epi32(0x40)), is_nan);
}

void narrow_f32bf16_avx2(const float *values, int64_t count, uint16_t *codes) {
  int64_t i = 0;
  for (; i + 16 <= count; i += 16) {
    const __m256i low = narrow_8(_mm256_loadu_si256((const __m256i *)(values + i)));
    const __m256i high = narrow_8(_mm256_loadu_si256((const __m256i *)(values + i + 8)));
    /* Packing works inside each 128 bits; the middle quarters change places. */
    const __m256i packed = _mm256_permute4x64_epi64(_mm256_packus_epi32(low, high), 0xd8);
    _mm256_storeu_si256((__m256i *)(codes + i), packed);
  }
  for (; i < count; i++) codes[i] = bf16_of_f32(values[i]);
}

void widen_bf16f32_avx2(const uint16_t *codes, int64_t count, float *values) {
  int64_t i = 0;
  for (; i + 8 <= count; i += 8) {
    const __m256i wide = _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)(codes + i)));
    _mm256_storeu_si256((__m256i *)(values + i), _mm256_slli_epi32(wide, 16));
  }
  for (; i < count; i++) values[i] = f32_of_bf16(codes[i]);
}

/* INT8, sixteen values at a time, and masks for what is left over: short runs that share a scale gain most. */
#include "../format_scalar.h"
#include "lanes.h"

/* NaN becomes 0; then the limits, which hold the infinities. */
static inline __m128i codes_of(lanes values, lanes reciprocal, lanes least, lanes most, __m512i zero) {
  const lanes x = lanes_mul(values, reciprocal);
  const lanes number = _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(x, x, _CMP_ORD_Q), x);
  const __m512i whole = _mm512_cvtps_epi32(lanes_min(lanes_max(number, least), most));
  return _mm512_cvtepi32_epi8(_mm512_add_epi32(whole, zero));
}

void quantize_f32i8_avx512(const float *values, int64_t count, const i8_step *step, int8_t *codes) {
  const lanes reciprocal = lanes_set(step->reciprocal);
  const lanes least = lanes_set((float)(step->bottom - step->zero)), most = lanes_set((float)(127 - step->zero));
  const __m512i zero = _mm512_set1_epi32(step->zero);
  int64_t i = 0;
  for (; i + LANES <= count; i += LANES)
    _mm_storeu_si128((__m128i *)(codes + i), codes_of(lanes_load(values + i), reciprocal, least, most, zero));
  if (i == count) return;
  const lanes rest = lanes_load_first(values + i, count - i);
  _mm_mask_storeu_epi8(codes + i, lanes_mask(count - i), codes_of(rest, reciprocal, least, most, zero));
}

/* NaN and infinities as 0, which every range holds. */
static inline lanes finite_of(lanes x) {
  return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(lanes_abs(x), lanes_set(INFINITY), _CMP_LT_OQ), x);
}

void range_f32_avx512(const float *values, int64_t count, float *low, float *high) {
  lanes least[2] = {lanes_set(*low), lanes_set(*low)}, most[2] = {lanes_set(*high), lanes_set(*high)};
  int64_t i = 0;
  for (; i + 2 * LANES <= count; i += 2 * LANES)
#pragma GCC unroll 2
    for (int j = 0; j < 2; j++) {
      const lanes x = finite_of(lanes_load(values + i + j * LANES));
      least[j] = lanes_min(x, least[j]);
      most[j] = lanes_max(x, most[j]);
    }
  for (; i < count; i += LANES) {
    const lanes x = finite_of(lanes_load_first(values + i, count - i < LANES ? count - i : LANES));
    least[0] = lanes_min(x, least[0]);
    most[0] = lanes_max(x, most[0]);
  }
  *low = _mm512_reduce_min_ps(lanes_min(least[0], least[1]));
  *high = _mm512_reduce_max_ps(lanes_max(most[0], most[1]));
}

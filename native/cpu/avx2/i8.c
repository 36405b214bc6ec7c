/* INT8, 32 values at a time. */
#include "../format_scalar.h"
#include "lanes.h"

enum { STEP = 4 * LANES };

/* NaN becomes 0, as the scalar code has it; then the limits, which hold the infinities. */
static inline __m256i codes_of(lanes values, lanes reciprocals, lanes least, lanes most, __m256i zeros) {
  const lanes x = lanes_mul(values, reciprocals);
  const lanes number = _mm256_and_ps(x, _mm256_cmp_ps(x, x, _CMP_ORD_Q));
  return _mm256_add_epi32(_mm256_cvtps_epi32(lanes_min(lanes_max(number, least), most)), zeros);
}

/* Packing works inside each 128 bits: the quarters are put back in order. */
static inline void store_32(int8_t *codes, const __m256i c[4]) {
  const __m256i bytes = _mm256_packs_epi16(_mm256_packs_epi32(c[0], c[1]), _mm256_packs_epi32(c[2], c[3]));
  _mm256_storeu_si256((__m256i *)codes,
                      _mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7)));
}

void quantize_f32i8_avx2(const float *values, int64_t count, const i8_step *step, int8_t *codes) {
  const lanes reciprocal = lanes_set(step->reciprocal);
  const lanes least = lanes_set((float)(step->bottom - step->zero)), most = lanes_set((float)(127 - step->zero));
  const __m256i zero = _mm256_set1_epi32(step->zero);
  int64_t i = 0;
  for (; i + STEP <= count; i += STEP) {
    __m256i c[4];
#pragma GCC unroll 4
    for (int j = 0; j < 4; j++) c[j] = codes_of(lanes_load(values + i + j * LANES), reciprocal, least, most, zero);
    store_32(codes + i, c);
  }
  for (; i < count; i++) codes[i] = i8_of_f32(values[i], *step);
}

void quantize_columns_f32i8_avx2(const float *values, int64_t count, const float *reciprocals, const int32_t *zeros,
                                 int8_t *codes) {
  const __m256i bottom = _mm256_set1_epi32(zeros ? -128 : -127), top = _mm256_set1_epi32(127);
  int64_t i = 0;
  for (; i + STEP <= count; i += STEP) {
    __m256i c[4];
#pragma GCC unroll 4
    for (int j = 0; j < 4; j++) {
      const int64_t at = i + j * LANES;
      const __m256i zero = zeros ? _mm256_loadu_si256((const __m256i *)(zeros + at)) : _mm256_setzero_si256();
      c[j] = codes_of(lanes_load(values + at), lanes_load(reciprocals + at),
                      _mm256_cvtepi32_ps(_mm256_sub_epi32(bottom, zero)),
                      _mm256_cvtepi32_ps(_mm256_sub_epi32(top, zero)), zero);
    }
    store_32(codes + i, c);
  }
  for (; i < count; i++)
    codes[i] = i8_of_f32(values[i], (i8_step){reciprocals[i], zeros ? zeros[i] : 0, zeros ? -128 : -127});
}

static inline __m256i load_8(const int8_t *codes) {
  return _mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)codes));
}

void dequantize_i8f32_avx2(const int8_t *codes, int64_t count, float scale, int32_t zero, float *values) {
  const lanes scales = lanes_set(scale);
  const __m256i zeros = _mm256_set1_epi32(zero);
  int64_t i = 0;
  for (; i + LANES <= count; i += LANES)
    lanes_store(values + i, lanes_mul(_mm256_cvtepi32_ps(_mm256_sub_epi32(load_8(codes + i), zeros)), scales));
  for (; i < count; i++) values[i] = f32_of_i8(codes[i], scale, zero);
}

void dequantize_columns_i8f32_avx2(const int8_t *codes, int64_t count, const float *scales, const int32_t *zeros,
                                   float *values) {
  int64_t i = 0;
  for (; i + LANES <= count; i += LANES) {
    const __m256i zero = zeros ? _mm256_loadu_si256((const __m256i *)(zeros + i)) : _mm256_setzero_si256();
    const __m256i steps = _mm256_sub_epi32(load_8(codes + i), zero);
    lanes_store(values + i, lanes_mul(_mm256_cvtepi32_ps(steps), lanes_load(scales + i)));
  }
  for (; i < count; i++) values[i] = f32_of_i8(codes[i], scales[i], zeros ? zeros[i] : 0);
}

/* NaN and infinities as 0, which every range holds. */
static inline lanes finite_of(lanes x) {
  return _mm256_and_ps(x, _mm256_cmp_ps(lanes_abs(x), lanes_set(INFINITY), _CMP_LT_OQ));
}

void range_f32_avx2(const float *values, int64_t count, float *low, float *high) {
  lanes least[2] = {lanes_set(*low), lanes_set(*low)}, most[2] = {lanes_set(*high), lanes_set(*high)};
  int64_t i = 0;
  for (; i + 2 * LANES <= count; i += 2 * LANES)
#pragma GCC unroll 2
    for (int j = 0; j < 2; j++) {
      const lanes x = finite_of(lanes_load(values + i + j * LANES));
      least[j] = lanes_min(x, least[j]);
      most[j] = lanes_max(x, most[j]);
    }
  *low = -lanes_max_of(lanes_sub(lanes_zero(), lanes_min(least[0], least[1])));
  *high = lanes_max_of(lanes_max(most[0], most[1]));
  for (; i < count; i++) widen_range(values[i], low, high);
}

/* Runs whose ranges are reduced together: one after the other, each would wait for its own shuffles. */
enum { RANGE_RUNS = 4 };

/* The greatest and the least, negated, of a run: most in the lower 128 bits, −least in the upper. NaN leaves them as they
 * are, infinities show. */
static inline lanes halves_of(const float *values, int64_t length) {
  lanes least = lanes_zero(), most = lanes_zero();
  for (int64_t i = 0; i < length; i += LANES) {
    const lanes x = lanes_load(values + i);
    least = lanes_min(x, least);
    most = lanes_max(x, most);
  }
  const lanes below = lanes_sub(lanes_zero(), least);
  return lanes_max(_mm256_permute2f128_ps(most, below, 0x20), _mm256_permute2f128_ps(most, below, 0x31));
}

/* Of each 128 bits of a and b: the greatest of pairs, a's two before b's; then of neighbours. */
static inline lanes fold_pairs(lanes a, lanes b) {
  return lanes_max(_mm256_shuffle_ps(a, b, 0x44), _mm256_shuffle_ps(a, b, 0xee));
}
static inline lanes fold_last(lanes a, lanes b) {
  return lanes_max(_mm256_shuffle_ps(a, b, 0x88), _mm256_shuffle_ps(a, b, 0xdd));
}

/* Whether all are finite; if not, nothing is stored. */
static inline int range_4_runs(const float *values, int64_t length, float *low, float *high) {
  lanes half[RANGE_RUNS];
#pragma GCC unroll 4
  for (int r = 0; r < RANGE_RUNS; r++) half[r] = halves_of(values + r * length, length);
  const lanes all = fold_last(fold_pairs(half[0], half[1]), fold_pairs(half[2], half[3]));
  if (_mm256_movemask_ps(_mm256_cmp_ps(all, lanes_set(INFINITY), _CMP_EQ_OQ)) != 0) return 0;
  _mm_storeu_ps(high, _mm256_castps256_ps128(all));
  _mm_storeu_ps(low, _mm256_extractf128_ps(lanes_sub(lanes_zero(), all), 1));
  return 1;
}

void range_runs_f32_avx2(const float *values, int64_t length, int64_t runs, float *low, float *high) {
  for (int64_t r = 0; r < runs;) {
    if (length % LANES == 0 && runs - r >= RANGE_RUNS && range_4_runs(values + r * length, length, low + r, high + r)) {
      r += RANGE_RUNS;
      continue;
    }
    low[r] = high[r] = 0;
    range_f32_avx2(values + r * length, length, &low[r], &high[r]);
    r++;
  }
}

void range_columns_f32_avx2(const float *values, int64_t stride, int64_t rows, int64_t columns, float *low,
                            float *high) {
  int64_t r = 0;
  for (; r + 4 <= rows; r += 4) { /* four rows at a time read and write low and high a quarter as often */
    const float *const row = values + r * stride;
    int64_t c = 0;
    for (; c + LANES <= columns; c += LANES) {
      const lanes x0 = finite_of(lanes_load(row + c)), x1 = finite_of(lanes_load(row + stride + c));
      const lanes x2 = finite_of(lanes_load(row + 2 * stride + c)), x3 = finite_of(lanes_load(row + 3 * stride + c));
      lanes_store(low + c, lanes_min(lanes_min(lanes_min(x0, x1), lanes_min(x2, x3)), lanes_load(low + c)));
      lanes_store(high + c, lanes_max(lanes_max(lanes_max(x0, x1), lanes_max(x2, x3)), lanes_load(high + c)));
    }
    for (; c < columns; c++)
      for (int64_t i = 0; i < 4; i++) widen_range(row[i * stride + c], &low[c], &high[c]);
  }
  for (; r < rows; r++)
    for (int64_t c = 0; c < columns; c++) widen_range(values[r * stride + c], &low[c], &high[c]);
}

/* INT8, 64 values at a time: one cache line of codes; masks for what is left over: short runs that share a scale gain
 * most. */
#include "../format_scalar.h"
#include "lanes.h"

enum { STEP = 4 * LANES };

/* What codes are before their zero point is added: NaN becomes 0; the limits hold the infinities. */
static inline __m512i whole_of(lanes values, lanes reciprocal, lanes least, lanes most) {
  const lanes x = lanes_mul(values, reciprocal);
  return _mm512_maskz_cvtps_epi32(_mm512_cmp_ps_mask(x, x, _CMP_ORD_Q), lanes_min(lanes_max(x, least), most));
}

/* Packing works inside each 128 bits: the sixteenths are put back in order. */
static inline __m512i bytes_of(const __m512i c[4]) {
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  const __m512i bytes = _mm512_packs_epi16(_mm512_packs_epi32(c[0], c[1]), _mm512_packs_epi32(c[2], c[3]));
  return _mm512_permutexvar_epi32(order, bytes);
}

void quantize_f32i8_avx512(const float *values, int64_t count, const i8_step *step, int8_t *codes) {
  const lanes reciprocal = lanes_set(step->reciprocal);
  const lanes least = lanes_set((float)(step->bottom - step->zero)), most = lanes_set((float)(127 - step->zero));
  const __m512i zero = _mm512_set1_epi32(step->zero);
  int64_t i = 0;
  for (; i + STEP <= count; i += STEP) {
    __m512i c[4];
#pragma GCC unroll 4
    for (int j = 0; j < 4; j++)
      c[j] = _mm512_add_epi32(whole_of(lanes_load(values + i + j * LANES), reciprocal, least, most), zero);
    _mm512_storeu_si512(codes + i, bytes_of(c));
  }
  for (; i < count; i += LANES) {
    const int64_t n = count - i < LANES ? count - i : LANES;
    const __m512i whole = whole_of(lanes_load_first(values + i, n), reciprocal, least, most);
    _mm_mask_storeu_epi8(codes + i, lanes_mask(n), _mm512_cvtepi32_epi8(_mm512_add_epi32(whole, zero)));
  }
}

static inline __m512i column_codes(const float *values, const float *reciprocals, const int32_t *zeros, int64_t at,
                                   __mmask16 mask) {
  const __m512i zero = zeros ? _mm512_maskz_loadu_epi32(mask, zeros + at) : _mm512_setzero_si512();
  const __m512i bottom = _mm512_set1_epi32(zeros ? -128 : -127), top = _mm512_set1_epi32(127);
  const __m512i whole = whole_of(_mm512_maskz_loadu_ps(mask, values + at), _mm512_maskz_loadu_ps(mask, reciprocals + at),
                                 _mm512_cvtepi32_ps(_mm512_sub_epi32(bottom, zero)),
                                 _mm512_cvtepi32_ps(_mm512_sub_epi32(top, zero)));
  return _mm512_add_epi32(whole, zero);
}

void quantize_columns_f32i8_avx512(const float *values, int64_t count, const float *reciprocals, const int32_t *zeros,
                                   int8_t *codes) {
  int64_t i = 0;
  for (; i + STEP <= count; i += STEP) {
    __m512i c[4];
#pragma GCC unroll 4
    for (int j = 0; j < 4; j++) c[j] = column_codes(values, reciprocals, zeros, i + j * LANES, 0xffff);
    _mm512_storeu_si512(codes + i, bytes_of(c));
  }
  for (; i < count; i += LANES) {
    const __mmask16 mask = lanes_mask(count - i < LANES ? count - i : LANES);
    const __m512i c = column_codes(values, reciprocals, zeros, i, mask);
    _mm_mask_storeu_epi8(codes + i, mask, _mm512_cvtepi32_epi8(c));
  }
}

static inline __mmask16 finite_mask(lanes x) {
  return _mm512_cmp_ps_mask(lanes_abs(x), lanes_set(INFINITY), _CMP_LT_OQ);
}

/* Both reductions in one: short runs are mostly that. */
static inline void store_range(lanes least, lanes most, float *low, float *high) {
  const lanes below = lanes_sub(lanes_zero(), least);
  const __m256 a = _mm256_max_ps(_mm512_castps512_ps256(most), _mm512_extractf32x8_ps(most, 1));
  const __m256 b = _mm256_max_ps(_mm512_castps512_ps256(below), _mm512_extractf32x8_ps(below, 1));
  lanes both = _mm512_insertf32x8(_mm512_castps256_ps512(a), b, 1);
  both = lanes_max(both, _mm512_shuffle_f32x4(both, both, 0xb1));
  both = lanes_max(both, _mm512_permute_ps(both, 0x4e));
  both = lanes_max(both, _mm512_permute_ps(both, 0xb1));
  *high = _mm512_cvtss_f32(both);
  *low = -_mm256_cvtss_f32(_mm512_extractf32x8_ps(both, 1));
}

void range_f32_avx512(const float *values, int64_t count, float *low, float *high) {
  lanes least[4], most[4];
  for (int j = 0; j < 4; j++) {
    least[j] = lanes_set(*low);
    most[j] = lanes_set(*high);
  }
  int64_t i = 0;
  for (; i + STEP <= count; i += STEP)
#pragma GCC unroll 4
    for (int j = 0; j < 4; j++) {
      const lanes x = lanes_load(values + i + j * LANES);
      const __mmask16 finite = finite_mask(x);
      least[j] = _mm512_mask_min_ps(least[j], finite, x, least[j]);
      most[j] = _mm512_mask_max_ps(most[j], finite, x, most[j]);
    }
  for (; i < count; i += LANES) {
    const lanes x = lanes_load_first(values + i, count - i < LANES ? count - i : LANES);
    const __mmask16 finite = finite_mask(x);
    least[0] = _mm512_mask_min_ps(least[0], finite, x, least[0]);
    most[0] = _mm512_mask_max_ps(most[0], finite, x, most[0]);
  }
  store_range(lanes_min(lanes_min(least[0], least[1]), lanes_min(least[2], least[3])),
              lanes_max(lanes_max(most[0], most[1]), lanes_max(most[2], most[3])), low, high);
}

/* Runs whose ranges are reduced together: one after the other, each would wait for its own shuffles. */
enum { RANGE_RUNS = 8 };

/* The greatest and the least, negated, of a run: by 128 bits most, most, −least, −least. NaN leaves them as they are,
 * infinities show. */
static inline lanes quarters_of(const float *values, int64_t length) {
  lanes least = lanes_zero(), most = lanes_zero();
  for (int64_t i = 0; i < length; i += LANES) {
    const lanes x = lanes_load(values + i);
    least = lanes_min(x, least);
    most = lanes_max(x, most);
  }
  const lanes below = lanes_sub(lanes_zero(), least);
  return lanes_max(_mm512_shuffle_f32x4(most, below, 0x44), _mm512_shuffle_f32x4(most, below, 0xee));
}

/* Of each 128 bits of a and b: the greatest of pairs, a's two before b's; then of neighbours. */
static inline lanes fold_pairs(lanes a, lanes b) {
  return lanes_max(_mm512_shuffle_ps(a, b, 0x44), _mm512_shuffle_ps(a, b, 0xee));
}
static inline lanes fold_last(lanes a, lanes b) {
  return lanes_max(_mm512_shuffle_ps(a, b, 0x88), _mm512_shuffle_ps(a, b, 0xdd));
}

/* Whether all are finite; if not, nothing is stored. */
static inline int range_8_runs(const float *values, int64_t length, float *low, float *high) {
  lanes q[RANGE_RUNS], half[RANGE_RUNS / 2];
#pragma GCC unroll 8
  for (int r = 0; r < RANGE_RUNS; r++) q[r] = quarters_of(values + r * length, length);
#pragma GCC unroll 4
  for (int r = 0; r < RANGE_RUNS / 2; r++) /* by 128 bits: run r's most, −least; run r + 4's */
    half[r] = lanes_max(_mm512_shuffle_f32x4(q[r], q[r + 4], 0x88), _mm512_shuffle_f32x4(q[r], q[r + 4], 0xdd));
  const lanes all = fold_last(fold_pairs(half[0], half[1]), fold_pairs(half[2], half[3]));
  if (_mm512_cmp_ps_mask(all, lanes_set(INFINITY), _CMP_EQ_OQ) != 0) return 0;
  _mm256_storeu_ps(high, _mm512_castps512_ps256(_mm512_shuffle_f32x4(all, all, 0x88)));
  const lanes below = lanes_sub(lanes_zero(), all);
  _mm256_storeu_ps(low, _mm512_castps512_ps256(_mm512_shuffle_f32x4(below, below, 0xdd)));
  return 1;
}

void range_runs_f32_avx512(const float *values, int64_t length, int64_t runs, float *low, float *high) {
  for (int64_t r = 0; r < runs;) {
    if (length % LANES == 0 && runs - r >= RANGE_RUNS && range_8_runs(values + r * length, length, low + r, high + r)) {
      r += RANGE_RUNS;
      continue;
    }
    low[r] = high[r] = 0;
    range_f32_avx512(values + r * length, length, &low[r], &high[r]);
    r++;
  }
}

/* Rows at a time: they read and write low and high an eighth as often. */
enum { RANGE_ROWS = 8 };

static inline void widen_columns(const float *values, int64_t stride, int64_t rows, __mmask16 mask, float *low,
                                 float *high) {
  lanes least = _mm512_maskz_loadu_ps(mask, low), most = _mm512_maskz_loadu_ps(mask, high);
  for (int64_t r = 0; r < rows; r++) {
    const lanes x = _mm512_maskz_loadu_ps(mask, values + r * stride);
    const __mmask16 finite = finite_mask(x);
    least = _mm512_mask_min_ps(least, finite, x, least);
    most = _mm512_mask_max_ps(most, finite, x, most);
  }
  _mm512_mask_storeu_ps(low, mask, least);
  _mm512_mask_storeu_ps(high, mask, most);
}

void range_columns_f32_avx512(const float *values, int64_t stride, int64_t rows, int64_t columns, float *low,
                              float *high) {
  for (int64_t r = 0; r < rows; r += RANGE_ROWS) {
    const float *const first = values + r * stride;
    const int64_t count = rows - r < RANGE_ROWS ? rows - r : RANGE_ROWS;
    int64_t c = 0;
    if (count == RANGE_ROWS)
      for (; c + LANES <= columns; c += LANES) widen_columns(first + c, stride, RANGE_ROWS, 0xffff, low + c, high + c);
    for (; c < columns; c += LANES)
      widen_columns(first + c, stride, count, lanes_mask(columns - c < LANES ? columns - c : LANES), low + c, high + c);
  }
}

/* BFP16 in squares of 8 rows × 8 columns, one block a row: the exponents of eight blocks are found at once.
 *
 * Where a block holds NaN, infinities or numbers below 2^-121, whose scale 2^(133 − e) is no F32, the square goes
 * through format_scalar.h instead. */
#include "../format_scalar.h"
#include "lanes.h"
#include "lanes_transpose.h"

enum { SIDE = 8, LEAST_FAST_EXPONENT = 6 };

/* largest[i] = the largest magnitude of row i, as bits: magnitudes order as their bits do. */
static inline __m256i largest_of_rows(const lanes rows[SIDE]) {
  __m256i pairs[4], fours[2];
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
    const __m256i a = _mm256_castps_si256(lanes_abs(rows[2 * i])), b = _mm256_castps_si256(lanes_abs(rows[2 * i + 1]));
    pairs[i] = _mm256_max_epu32(_mm256_unpacklo_epi32(a, b), _mm256_unpackhi_epi32(a, b)); /* a b a b of each half */
  }
#pragma GCC unroll 2
  for (int i = 0; i < 2; i++)
    fours[i] = _mm256_max_epu32(_mm256_unpacklo_epi64(pairs[2 * i], pairs[2 * i + 1]),
                                _mm256_unpackhi_epi64(pairs[2 * i], pairs[2 * i + 1]));
  return _mm256_max_epu32(_mm256_permute2x128_si256(fours[0], fours[1], 0x20),
                          _mm256_permute2x128_si256(fours[0], fours[1], 0x31));
}

static inline __m256i exponents_of(__m256i largest, int is_nearest) {
  if (!is_nearest) return _mm256_srli_epi32(largest, 23);
  const __m256i is_subnormal = _mm256_cmpgt_epi32(_mm256_set1_epi32(0x00800000), largest);
  const __m256i half = _mm256_blendv_epi8(_mm256_set1_epi32(0x10000), _mm256_set1_epi32(0x8000), is_subnormal);
  return _mm256_min_epu32(_mm256_srli_epi32(_mm256_add_epi32(largest, half), 23), _mm256_set1_epi32(BFP16_SPECIAL));
}

/* What a product of F32 underflows to, 0, is floor's answer for positive values alone. */
static inline __m256i floor_of(lanes scaled, lanes value) {
  const __m256i whole = _mm256_cvttps_epi32(_mm256_floor_ps(scaled));
  const __m256i is_negative = _mm256_castps_si256(_mm256_cmp_ps(value, lanes_zero(), _CMP_LT_OQ));
  return _mm256_min_epi32(whole, _mm256_or_si256(is_negative, _mm256_set1_epi32(127)));
}

/* The bytes of four rows, 8 each. */
static inline __m256i pack_rows(const __m256i m[4]) {
  const __m256i bytes = _mm256_packs_epi16(_mm256_packs_epi32(m[0], m[1]), _mm256_packs_epi32(m[2], m[3]));
  return _mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
}

/* One block for each of `count` rows; 0 if a row needs the scalar code, and nothing is written then. */
static inline __attribute__((always_inline)) int encode_square(const lanes rows[SIDE], int64_t count, int is_nearest,
                                                               uint8_t *blocks, int64_t row_step) {
  const __m256i largest = largest_of_rows(rows);
  const __m256i exponents = exponents_of(largest, is_nearest);
  const __m256i is_small = _mm256_andnot_si256(_mm256_cmpeq_epi32(largest, _mm256_setzero_si256()),
                                               _mm256_cmpgt_epi32(_mm256_set1_epi32(LEAST_FAST_EXPONENT), exponents));
  const __m256i is_special = _mm256_cmpeq_epi32(exponents, _mm256_set1_epi32(BFP16_SPECIAL));
  if (_mm256_movemask_epi8(_mm256_or_si256(is_small, is_special))) return 0;

  /* 2^(133 − e); a row of zeros may have any. */
  const __m256i normal = _mm256_max_epi32(exponents, _mm256_set1_epi32(LEAST_FAST_EXPONENT));
  const lanes scales =
      _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_sub_epi32(_mm256_set1_epi32(133 + 127), normal), 23));
  __m256i m[SIDE];
#pragma GCC unroll 8
  for (int i = 0; i < SIDE; i++) {
    const lanes scaled = lanes_mul(rows[i], _mm256_permutevar8x32_ps(scales, _mm256_set1_epi32(i)));
    m[i] = is_nearest ? _mm256_cvtps_epi32(scaled) : floor_of(scaled, rows[i]);
  }
  uint64_t bytes[SIDE];
  uint32_t exponent[SIDE];
  _mm256_storeu_si256((__m256i *)bytes, pack_rows(m));
  _mm256_storeu_si256((__m256i *)(bytes + 4), pack_rows(m + 4));
  _mm256_storeu_si256((__m256i *)exponent, exponents);
  for (int64_t i = 0; i < count; i++) {
    blocks[i * row_step] = (uint8_t)exponent[i];
    memcpy(blocks + i * row_step + 1, &bytes[i], sizeof bytes[i]);
  }
  return 1;
}

/* Rows are consecutive in memory (column_stride 1), or columns are: then the square is transposed in registers. */
static inline __attribute__((always_inline)) void load_square(const float *values, int64_t row_stride,
                                                              int64_t column_stride, int64_t rows, int64_t columns,
                                                              lanes square[SIDE]) {
  const int is_transposed = column_stride != 1;
  const int64_t lines = is_transposed ? columns : rows, length = is_transposed ? rows : columns;
  const int64_t stride = is_transposed ? column_stride : row_stride;
  if (lines == SIDE && length == SIDE) {
#pragma GCC unroll 8
    for (int i = 0; i < SIDE; i++) square[i] = lanes_load(values + i * stride);
  } else {
    for (int i = 0; i < SIDE; i++) square[i] = i < lines ? lanes_load_first(values + i * stride, length) : lanes_zero();
  }
  if (is_transposed) lanes_transpose(square);
}

static inline __attribute__((always_inline)) void encode(const float *values, int64_t row_stride,
                                                         int64_t column_stride, int64_t rows, int64_t columns,
                                                         int is_nearest, uint8_t *blocks, int64_t row_step,
                                                         int64_t block_step) {
  for (int64_t r = 0; r < rows; r += SIDE) {
    const int64_t height = rows - r < SIDE ? rows - r : SIDE;
    for (int64_t c = 0; c < columns; c += SIDE) {
      const int64_t width = columns - c < SIDE ? columns - c : SIDE;
      const float *const from = values + r * row_stride + c * column_stride;
      uint8_t *const to = blocks + r * row_step + c / SIDE * block_step;
      lanes square[SIDE];
      load_square(from, row_stride, column_stride, height, width, square);
      if (height == SIDE ? encode_square(square, SIDE, is_nearest, to, row_step)
                         : encode_square(square, height, is_nearest, to, row_step))
        continue;
      for (int64_t i = 0; i < height; i++)
        bfp16_encode_block(from + i * row_stride, column_stride, width, is_nearest, to + i * row_step);
    }
  }
}

void encode_f32bfp16_avx2(const float *values, int64_t row_stride, int64_t column_stride, int64_t rows, int64_t columns,
                          int is_nearest, uint8_t *blocks, int64_t row_step, int64_t block_step) {
  if (is_nearest && column_stride == 1)
    encode(values, row_stride, 1, rows, columns, 1, blocks, row_step, block_step);
  else if (is_nearest)
    encode(values, row_stride, column_stride, rows, columns, 1, blocks, row_step, block_step);
  else
    encode(values, row_stride, column_stride, rows, columns, 0, blocks, row_step, block_step);
}

void decode_bfp16f32_avx2(const uint8_t *blocks, int64_t row_step, int64_t block_step, int64_t rows, int64_t columns,
                          float *values, int64_t stride) {
  for (int64_t r = 0; r < rows; r++)
    for (int64_t c = 0; c < columns; c += SIDE) {
      const uint8_t *const block = blocks + r * row_step + c / SIDE * block_step;
      float *const to = values + r * stride + c;
      if (columns - c < SIDE || block[0] == BFP16_SPECIAL) {
        bfp16_decode_block(block, columns - c < SIDE ? columns - c : SIDE, to);
        continue;
      }
      /* 2^(e − 133) as two factors, of which neither is subnormal; both products are exact. */
      const int first = (block[0] - 133) / 2, second = block[0] - 133 - first;
      const lanes a = lanes_set(f32_of_bits((uint32_t)(first + 127) << 23));
      const lanes b = lanes_set(f32_of_bits((uint32_t)(second + 127) << 23));
      const __m256i m = _mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)(block + 1)));
      lanes_store(to, lanes_mul(lanes_mul(_mm256_cvtepi32_ps(m), a), b));
    }
}

/* combine: out[r, n] = Σk a[r, k] · b[k, n], a F32, b F32, I16 or I8, sums F32.
 *
 * The two products of attention with a cache: q · Kᵀ, b being a block of keys stored by head dimension (k = D, n =
 * keys), and p · V, b being the values (k = keys, n = D). A tile holds `rows` × 4 vectors of sums; b is read once
 * for all its rows, in order, so that it streams, and asked for ahead, as hardware does not across pages: a step of
 * base gains 2 to 5 %.
 *
 * Included by <isa>/combine.c after its lanes.h, and after lanes_load_i8 of its own. */
#include "../decoder_kernels.h"

enum { LINE = 64 /* bytes of a cache line */, AHEAD = 8 * 1024 /* bytes, as project.h */ };

#define INLINE static inline __attribute__((always_inline))

/* `width` is the bytes of an element of b, and says of which kind it is; a constant wherever these are called. */
INLINE lanes load_row(int width, const char *b, int64_t i) {
  return width == 1 ? lanes_load_i8(b + i) : width == 2 ? lanes_load_i16(b + i * 2) : lanes_load(b + i * 4);
}

INLINE lanes load_row_first(int width, const char *b, int64_t i, int64_t n) {
  return width == 1   ? lanes_load_i8_first(b + i, n)
         : width == 2 ? lanes_load_i16_first(b + i * 2, n)
                      : lanes_load_first(b + i * 4, n);
}

/* Four vectors wide; rows and width are constants. Each sum is one chain over k, whatever the number of rows: a row's
 * numbers do not depend on those beside it. */
INLINE void combine_wide(const int width, const int rows, const float *a, int64_t a_stride, const char *b,
                         int64_t b_stride, int64_t K, float *out, int64_t out_stride) {
  lanes sums[COMBINE_ROWS * 4];
#pragma GCC unroll 32
  for (int i = 0; i < rows * 4; i++) sums[i] = lanes_zero();
  for (int64_t k = 0; k < K; k++) {
#pragma GCC unroll 4
    for (int i = 0; i < 4 * LANES * width; i += LINE) __builtin_prefetch(b + k * b_stride * width + i + AHEAD);
    lanes row[4];
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) row[i] = load_row(width, b, k * b_stride + i * LANES);
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++) {
      const lanes coefficient = lanes_set(a[r * a_stride + k]);
#pragma GCC unroll 4
      for (int i = 0; i < 4; i++) sums[r * 4 + i] = lanes_fma(coefficient, row[i], sums[r * 4 + i]);
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < rows; r++)
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) lanes_store(out + r * out_stride + i * LANES, sums[r * 4 + i]);
}

/* One vector wide, or n < LANES elements of one. */
INLINE void combine_narrow(const int width, int64_t rows, const float *a, int64_t a_stride, const char *b,
                           int64_t b_stride, int64_t K, int64_t n, float *out, int64_t out_stride) {
  for (int64_t r = 0; r < rows; r++) {
    lanes sum = lanes_zero();
    for (int64_t k = 0; k < K; k++)
      sum = lanes_fma(lanes_set(a[r * a_stride + k]), load_row_first(width, b, k * b_stride, n), sum);
    lanes_store_first(out + r * out_stride, n, sum);
  }
}

INLINE void combine_rows(const int width, const float *a, int64_t a_stride, int64_t rows, const char *b,
                         int64_t b_stride, int64_t N, int64_t K, float *out, int64_t out_stride) {
  int64_t n = 0;
  for (; n + 4 * LANES <= N; n += 4 * LANES) {
    for (int64_t r = 0; r < rows;) {
      const int64_t left = rows - r;
#define COMBINE_CASE(count)                                                                                       \
  case count:                                                                                                     \
    combine_wide(width, count, a + r * a_stride, a_stride, b + n * width, b_stride, K, out + r * out_stride + n, \
                 out_stride);                                                                                     \
    r += count;                                                                                                   \
    break
      switch (left < COMBINE_ROWS ? left : COMBINE_ROWS) {
        COMBINE_CASE(1);
        COMBINE_CASE(2);
#if COMBINE_ROWS > 2
        COMBINE_CASE(3);
        COMBINE_CASE(4);
        COMBINE_CASE(5);
#endif
      }
#undef COMBINE_CASE
    }
  }
  for (; n < N; n += LANES)
    combine_narrow(width, rows, a, a_stride, b + n * width, b_stride, K, N - n < LANES ? N - n : LANES, out + n,
                   out_stride);
}

void LANES_KERNEL(combine_f32f32f32)(const float *a, int64_t a_stride, int64_t rows, const void *b, int64_t b_stride,
                                     int64_t N, int64_t K, float *out, int64_t out_stride) {
  combine_rows(4, a, a_stride, rows, b, b_stride, N, K, out, out_stride);
}

void LANES_KERNEL(combine_f32i16f32)(const float *a, int64_t a_stride, int64_t rows, const void *b, int64_t b_stride,
                                     int64_t N, int64_t K, float *out, int64_t out_stride) {
  combine_rows(2, a, a_stride, rows, b, b_stride, N, K, out, out_stride);
}

void LANES_KERNEL(combine_f32i8f32)(const float *a, int64_t a_stride, int64_t rows, const void *b, int64_t b_stride,
                                    int64_t N, int64_t K, float *out, int64_t out_stride) {
  combine_rows(1, a, a_stride, rows, b, b_stride, N, K, out, out_stride);
}

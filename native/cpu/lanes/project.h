/* project: out[r, n] = Σk x[r, k] · w[n, k], x F32, w F32 or F16 as stored, sums F32.
 *
 * The product of decoding: few rows of activations, a large matrix read once. A tile holds `rows` × `columns`
 * vectors of sums in registers; each vector of w is loaded (and widened) once for all rows of the tile, and the
 * sums are added across their lanes at the end. One to six rows, the usual case, thus run as fast as the memory
 * gives w. With more rows the matrix is taken in pieces that stay in the second-level cache, and a block of rows of
 * x stays in the first. Sums run over k in LANES strands: at most K/LANES + 4 roundings deep.
 *
 * Included by <isa>/project.c after its lanes.h. Try it: see native/tests/decoder_test.c. */

/* Bytes of w that are kept in the second-level cache (1 MB and more on what has AVX2 and these sizes). */
#define PROJECT_PIECE (256 * 1024)

/* How far ahead of its use w is asked for, in whole tiles. Measured on Zen 5, one thread: the hardware's own
 * prefetching gives 25 GB/s, this 38. */
#ifndef PROJECT_AHEAD
#define PROJECT_AHEAD (8 * 1024)
#endif

#define INLINE static inline __attribute__((always_inline))

INLINE lanes load_weight(int is_f16, const char *p) {
  return is_f16 ? lanes_load_f16(p) : lanes_load(p);
}

INLINE lanes load_weight_first(int is_f16, const char *p, int64_t n) {
  return is_f16 ? lanes_load_f16_first(p, n) : lanes_load_first(p, n);
}

/* rows, columns and is_f16 are constants wherever this is called. */
INLINE void project_tile(const int is_f16, const int rows, const int columns, const float *x, int64_t x_stride,
                         const char *w, int64_t ahead, int64_t K, float *out, int64_t out_stride) {
  const int64_t width = is_f16 ? 2 : 4;
  lanes sums[PROJECT_ROWS * 4]; /* more than any tile has: lanes_sum4 takes them by four */
#pragma GCC unroll 32
  for (int i = 0; i < PROJECT_ROWS * 4; i++) sums[i] = lanes_zero();
  int64_t k = 0;
  for (; k + LANES <= K; k += LANES) {
    lanes weight[4];
    if (k * width % 64 == 0) {
#pragma GCC unroll 4
      for (int n = 0; n < columns; n++) __builtin_prefetch(w + (n * K + k) * width + ahead);
    }
#pragma GCC unroll 4
    for (int n = 0; n < columns; n++) weight[n] = load_weight(is_f16, w + (n * K + k) * width);
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++) {
      lanes value = lanes_load(x + r * x_stride + k);
      LANES_KEEP(value);
#pragma GCC unroll 4
      for (int n = 0; n < columns; n++)
        sums[r * columns + n] = lanes_fma(weight[n], value, sums[r * columns + n]);
    }
  }
  if (k < K) {
#pragma GCC unroll 4
    for (int n = 0; n < columns; n++) {
      const lanes weight = load_weight_first(is_f16, w + (n * K + k) * width, K - k);
#pragma GCC unroll 8
      for (int r = 0; r < rows; r++)
        sums[r * columns + n] =
            lanes_fma(weight, lanes_load_first(x + r * x_stride + k, K - k), sums[r * columns + n]);
    }
  }
  float totals[PROJECT_ROWS * 4];
#pragma GCC unroll 8
  for (int i = 0; i < rows * columns; i += 4)
    lanes_sum4(sums[i], sums[i + 1], sums[i + 2], sums[i + 3], totals + i);
#pragma GCC unroll 8
  for (int r = 0; r < rows; r++)
#pragma GCC unroll 4
    for (int n = 0; n < columns; n++) out[r * out_stride + n] = totals[r * columns + n];
}

/* One block of rows against columns n of w. */
INLINE void project_block(const int is_f16, const int rows, const float *x, int64_t x_stride, const char *w,
                          int is_streamed, int64_t N, int64_t K, float *out, int64_t out_stride) {
  const int64_t row_bytes = K * (is_f16 ? 2 : 4), tile_bytes = PROJECT_COLUMNS(rows) * row_bytes;
  const int64_t ahead = is_streamed && tile_bytes > 0 ? (PROJECT_AHEAD + tile_bytes - 1) / tile_bytes * tile_bytes : 0;
  int64_t n = 0;
  for (; n + PROJECT_COLUMNS(rows) <= N; n += PROJECT_COLUMNS(rows))
    project_tile(is_f16, rows, PROJECT_COLUMNS(rows), x, x_stride, w + n * row_bytes, ahead, K, out + n, out_stride);
  for (; n < N; n++) project_tile(is_f16, rows, 1, x, x_stride, w + n * row_bytes, 0, K, out + n, out_stride);
}

INLINE void project_rows(const int is_f16, const float *x, int64_t x_stride, int64_t rows, const char *w, int64_t N,
                         int64_t K, float *out, int64_t out_stride) {
  const int64_t row_bytes = K * (is_f16 ? 2 : 4);
  int64_t piece = rows <= PROJECT_ROWS || row_bytes == 0 ? N : PROJECT_PIECE / row_bytes & ~(int64_t)3;
  if (piece < 4) piece = 4;
  for (int64_t n = 0; n < N; n += piece) {
    const int64_t columns = N - n < piece ? N - n : piece;
    for (int64_t r = 0; r < rows;) {
      const float *const block = x + r * x_stride;
      float *const target = out + r * out_stride + n;
      const char *const weights = w + n * row_bytes;
      const int64_t left = rows - r, blocks = (left + PROJECT_ROWS - 1) / PROJECT_ROWS;
      const int is_streamed = r == 0; /* later blocks find the piece in the cache */
#define PROJECT_CASE(count)                                                                        \
  case count:                                                                                      \
    project_block(is_f16, count, block, x_stride, weights, is_streamed, columns, K, target, out_stride); \
    r += count;                                                                                    \
    break
      switch ((left + blocks - 1) / blocks) { /* eight rows as four and four */
        PROJECT_CASE(1);
        PROJECT_CASE(2);
        PROJECT_CASE(3);
        PROJECT_CASE(4);
#if PROJECT_ROWS > 4
        PROJECT_CASE(5);
        PROJECT_CASE(6);
#endif
      }
#undef PROJECT_CASE
    }
  }
}

void LANES_KERNEL(project_f32f32f32)(const float *x, int64_t x_stride, int64_t rows, const void *w, int64_t N,
                                     int64_t K, float *out, int64_t out_stride) {
  project_rows(0, x, x_stride, rows, w, N, K, out, out_stride);
}

void LANES_KERNEL(project_f32f16f32)(const float *x, int64_t x_stride, int64_t rows, const void *w, int64_t N,
                                     int64_t K, float *out, int64_t out_stride) {
  project_rows(1, x, x_stride, rows, w, N, K, out, out_stride);
}

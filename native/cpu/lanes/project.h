/* project: out[r, n] = Σk x[r, k] · w[n, k], x F32, w F32 or F16 as stored, sums F32.
 *
 * The product of decoding: few rows of activations, a large matrix read once. Two ways, by the number of rows:
 *
 * One (a step): w is read strictly in order, row after row, and every line is asked for AHEAD of its use: that, and not
 * arithmetic, sets the speed. On Zen 5 one thread reads 48 GB/s so; 38 with one prefetch in
 * 512 bytes, 30 with four rows of w side by side, for then the hardware sees four short streams.
 *
 * More (hypotheses, a prompt, the cross-attention cache): a tile of rows × columns vectors of sums stays in registers,
 * each vector of w is widened once for all its rows; beyond PROJECT_ROWS rows w is taken in pieces that stay in a
 * cache while block after block of x meets them. 85 % of the multiply-add peak of Zen 5.
 *
 * Sums run over k in strands, one a lane, and the strands are added at the end; the split over threads changes
 * nothing. Included by <isa>/project.c after its lanes.h. Try it: native/tests/decoder_test.c. */
#include "../decoder_kernels.h"

enum {
  LINE = 64,               /* bytes of a cache line */
  AHEAD = 8 * 1024,        /* bytes; from 4 to 12 KB measured within 12 % */
  SMALL_PIECE = 16 * 1024, /* bytes of w for the first-level cache: two blocks of rows, still bound by memory */
  TILES = 12,              /* rows of w in a piece are a multiple of this: whole tiles of 3 or 4 */
  PIECE = 256 * 1024       /* for the second-level cache: many blocks, whose rows of x stay in the first */
};

#define INLINE static inline __attribute__((always_inline))

INLINE lanes load_weights(int is_f16, const char *p) { return is_f16 ? lanes_load_f16(p) : lanes_load(p); }

INLINE lanes load_first_weights(int is_f16, const char *p, int64_t n) {
  return is_f16 ? lanes_load_f16_first(p, n) : lanes_load_first(p, n);
}

/* ---- One row. is_f16 is a constant wherever these are called. */

/* The strands of Σk x[k] · w[k]. The vectors of a line have sums of their own: one chain of additions would wait for
 * itself. */
INLINE lanes stream_row(const int is_f16, const float *x, const char *w, int64_t K) {
  const int width = is_f16 ? 2 : 4, vectors = LINE / (width * LANES);
  lanes strands[4];
#pragma GCC unroll 4
  for (int v = 0; v < 4; v++) strands[v] = lanes_zero();
  int64_t k = 0;
  for (; k + LINE / width <= K; k += LINE / width) {
    __builtin_prefetch(w + k * width + AHEAD);
#pragma GCC unroll 8
    for (int v = 0; v < vectors; v++) /* eight of four F16, of which two share a sum */
      strands[v % 4] = lanes_fma(load_weights(is_f16, w + (k + v * LANES) * width), lanes_load(x + k + v * LANES),
                                 strands[v % 4]);
  }
  for (; k < K; k += LANES) {
    const int64_t n = K - k < LANES ? K - k : LANES;
    strands[0] = lanes_fma(load_first_weights(is_f16, w + k * width, n), lanes_load_first(x + k, n), strands[0]);
  }
  return lanes_add(lanes_add(strands[0], strands[1]), lanes_add(strands[2], strands[3]));
}

INLINE void stream(const int is_f16, const float *x, const char *w, int64_t N, int64_t K, float *out) {
  const int64_t row_bytes = K * (is_f16 ? 2 : 4);
  int64_t n = 0;
  for (; n + 4 <= N; n += 4) {
    lanes sums[4];
    for (int j = 0; j < 4; j++) sums[j] = stream_row(is_f16, x, w + (n + j) * row_bytes, K);
    lanes_sum4(sums[0], sums[1], sums[2], sums[3], out + n);
  }
  for (; n < N; n++) {
    float sums[4];
    lanes_sum4(stream_row(is_f16, x, w + n * row_bytes, K), lanes_zero(), lanes_zero(), lanes_zero(), sums);
    out[n] = sums[0];
  }
}

/* ---- More rows. is_f16, rows and columns are constants wherever these are called. */

/* The lines `ahead` bytes behind the tile's are asked for. Strands are those of one row alone, so that a row's numbers do
 * not depend on those beside it: one after the other, as there are no registers for all, while the tile stays in the
 * first-level cache. */
INLINE void project_tile(const int is_f16, const int rows, const int columns, const float *x, int64_t x_stride,
                         const char *w, int64_t ahead, int64_t K, float *out, int64_t out_stride) {
  const int width = is_f16 ? 2 : 4, vectors = LINE / (width * LANES), turns = vectors < 4 ? vectors : 4;
  const int64_t whole = K / (LINE / width) * (LINE / width);
  lanes sums[PROJECT_ROWS * 4]; /* may be more than the tile has: lanes_sum4 takes them by four */
  lanes strands[4][PROJECT_ROWS * 4];
#pragma GCC unroll 4
  for (int turn = turns - 1; turn >= 0; turn--) {
#pragma GCC unroll 32
    for (int i = 0; i < PROJECT_ROWS * 4; i++) sums[i] = lanes_zero();
    for (int64_t line = 0; line < whole; line += LINE / width) {
      /* Each strand asks for its share of the lines: an equal load on the memory all the way. */
      if (line / (LINE / width) % turns == turn) {
#pragma GCC unroll 4
        for (int l = 0; l < turns; l++)
#pragma GCC unroll 4
          for (int n = 0; n < columns; n++)
            __builtin_prefetch(w + (n * K + line) * width + (l - turn) * LINE + ahead);
      }
#pragma GCC unroll 2
      for (int v = turn; v < vectors; v += turns) {
        const int64_t k = line + v * LANES;
        lanes weights[4];
#pragma GCC unroll 4
        for (int n = 0; n < columns; n++) weights[n] = load_weights(is_f16, w + (n * K + k) * width);
#pragma GCC unroll 8
        for (int r = 0; r < rows; r++) {
          lanes value = lanes_load(x + r * x_stride + k);
          LANES_KEEP(value);
#pragma GCC unroll 4
          for (int n = 0; n < columns; n++) sums[r * columns + n] = lanes_fma(weights[n], value, sums[r * columns + n]);
        }
      }
    }
    if (turn > 0)
#pragma GCC unroll 32
      for (int i = 0; i < rows * columns; i++) strands[turn][i] = sums[i];
  }
  for (int64_t k = whole; k < K; k += LANES) {
    const int64_t count = K - k < LANES ? K - k : LANES;
#pragma GCC unroll 4
    for (int n = 0; n < columns; n++) {
      const lanes weights = load_first_weights(is_f16, w + (n * K + k) * width, count);
#pragma GCC unroll 8
      for (int r = 0; r < rows; r++)
        sums[r * columns + n] =
            lanes_fma(weights, lanes_load_first(x + r * x_stride + k, count), sums[r * columns + n]);
    }
  }
#pragma GCC unroll 32
  for (int i = 0; i < rows * columns; i++) {
    if (turns == 2) sums[i] = lanes_add(sums[i], strands[1][i]);
    if (turns == 4) sums[i] = lanes_add(lanes_add(sums[i], strands[1][i]), lanes_add(strands[2][i], strands[3][i]));
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

/* A block of rows against N rows of w, which come from memory (is_first) or from a cache. */
INLINE void project_block(const int is_f16, const int rows, int is_first, const float *x, int64_t x_stride,
                          const char *w, int64_t N, int64_t K, float *out, int64_t out_stride) {
  const int64_t row_bytes = K * (is_f16 ? 2 : 4), tile_bytes = PROJECT_COLUMNS(rows) * row_bytes;
  /* Whole tiles ahead: a line of this tile is too near. */
  const int64_t ahead = is_first ? (AHEAD + tile_bytes - 1) / tile_bytes * tile_bytes : 0;
  int64_t n = 0;
  for (; n + PROJECT_COLUMNS(rows) <= N; n += PROJECT_COLUMNS(rows))
    project_tile(is_f16, rows, PROJECT_COLUMNS(rows), x, x_stride, w + n * row_bytes, ahead, K, out + n, out_stride);
  for (; n < N; n++) project_tile(is_f16, rows, 1, x, x_stride, w + n * row_bytes, 0, K, out + n, out_stride);
}

INLINE void project_rows(const int is_f16, const float *x, int64_t x_stride, int64_t rows, const char *w, int64_t N,
                         int64_t K, float *out, int64_t out_stride) {
  const int64_t row_bytes = K * (is_f16 ? 2 : 4);
  const int64_t piece_bytes = rows <= 2 * PROJECT_ROWS ? SMALL_PIECE : PIECE;
  const int64_t fitting = piece_bytes / (row_bytes * TILES) * TILES;
  const int64_t piece = rows <= PROJECT_ROWS ? N : fitting > 0 ? fitting : TILES;
  for (int64_t n = 0; n < N; n += piece) {
    const int64_t columns = N - n < piece ? N - n : piece;
    for (int64_t r = 0; r < rows;) {
      const int64_t left = rows - r, blocks = (left + PROJECT_ROWS - 1) / PROJECT_ROWS;
#define BLOCK(count)                                                                                        \
  case count:                                                                                               \
    project_block(is_f16, count, r == 0, x + r * x_stride, x_stride, w + n * row_bytes, columns, K,         \
                  out + r * out_stride + n, out_stride);                                                    \
    r += count;                                                                                             \
    break
      switch ((left + blocks - 1) / blocks) { /* ten rows as five and five */
        BLOCK(1);
        BLOCK(2);
        BLOCK(3);
        BLOCK(4);
#if PROJECT_ROWS > 4
        BLOCK(5);
        BLOCK(6);
#endif
#if PROJECT_ROWS > 6
        BLOCK(7);
        BLOCK(8);
#endif
      }
#undef BLOCK
    }
  }
}

/* ---- */

INLINE void project(const int is_f16, const float *x, int64_t x_stride, int64_t rows, const void *w, int64_t N,
                    int64_t K, float *out, int64_t out_stride) {
  if (rows == 1)
    stream(is_f16, x, w, N, K, out);
  else
    project_rows(is_f16, x, x_stride, rows, w, N, K, out, out_stride);
}

void LANES_KERNEL(project_f32f32f32)(const float *x, int64_t x_stride, int64_t rows, const void *w, int64_t N,
                                     int64_t K, float *out, int64_t out_stride) {
  project(0, x, x_stride, rows, w, N, K, out, out_stride);
}

void LANES_KERNEL(project_f32f16f32)(const float *x, int64_t x_stride, int64_t rows, const void *w, int64_t N,
                                     int64_t K, float *out, int64_t out_stride) {
  project(1, x, x_stride, rows, w, N, K, out, out_stride);
}

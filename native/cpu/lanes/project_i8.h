/* project_i8: out[r, n] = x_scales[r] · Σgroups scale · Σk x[r, k] · code[n, k], x I16, weights as rows_i8.h has them.
 *
 * Products of 16 bits with 8 are added in pairs to 32 bits, exactly, and no sum of a group can overflow: with
 * activations of 16 bits nothing of their accuracy is lost, and the same two instructions do it on every processor.
 * Activations of 8 bits (VNNI) would save half of the multiplications, which for one row hide behind the reading of the
 * weights, and cost as much accuracy as the weights do. At eight rows they show: there INT8 is no faster than F16.
 *
 * A group costs a row of activations 128 / LANES multiplications and as many additions, one conversion and one
 * multiply-add. One row streams the weights as in project.h; of more, a tile of rows × columns of sums stays in
 * registers, and pieces of w in a cache. Included by <isa>/project_i8.c after its lanes.h. */
#include "../decoder_kernels.h"
#include "../rows_i8.h"
#include "../unaligned.h"

enum {
  LINE = 64,               /* bytes of a cache line, and codes of a group */
  AHEAD = 8 * 1024,        /* bytes, as project.h */
  SMALL_PIECE = 16 * 1024, /* the same */
  TILES = 12,
  PIECE = 256 * 1024,
  VECTORS = I8_GROUP / (2 * LANES) /* of I16 in a group */
};

#define INLINE static inline __attribute__((always_inline))

/* ---- One row. */

/* The strands of one row's sum. Groups take turns between two sums: one chain of additions would wait for itself. */
INLINE lanes stream_row(const int16_t *x, const char *w, int64_t groups) {
  const char *const scales = w + groups * I8_GROUP;
  lanes strands[2] = {lanes_zero(), lanes_zero()};
  for (int64_t group = 0; group < groups; group += LINE / 4) __builtin_prefetch(scales + group * 4 + AHEAD);
  int64_t group = 0;
#define ADD_GROUP(strand)                                                                                       \
  do {                                                                                                          \
    __builtin_prefetch(w + group * I8_GROUP + AHEAD);                                                           \
    lanes_i32 sum = lanes_multiply_i16(lanes_widen_i8(w + group * I8_GROUP), lanes_load_i16s(x + group * I8_GROUP)); \
    _Pragma("GCC unroll 4") for (int v = 1; v < VECTORS; v++) {                                                 \
      const int64_t at = group * I8_GROUP + v * 2 * LANES;                                                      \
      sum = lanes_add_i32(sum, lanes_multiply_i16(lanes_widen_i8(w + at), lanes_load_i16s(x + at)));            \
    }                                                                                                           \
    strand = lanes_fma(lanes_from_i32(sum), lanes_set(f32_at(scales, group)), strand);                          \
  } while (0)
  for (; group + 2 <= groups; group++) {
    ADD_GROUP(strands[0]);
    group++;
    ADD_GROUP(strands[1]);
  }
  if (group < groups) ADD_GROUP(strands[0]);
#undef ADD_GROUP
  return lanes_add(strands[0], strands[1]);
}

INLINE void stream(const int16_t *x, float x_scale, const char *w, int64_t N, int64_t K, float *out) {
  const int64_t row_bytes = i8_row_bytes(K), groups = i8_groups(K);
  int64_t n = 0;
  for (; n + 4 <= N; n += 4) {
    lanes sums[4];
    for (int j = 0; j < 4; j++) sums[j] = stream_row(x, w + (n + j) * row_bytes, groups);
    lanes_sum4(sums[0], sums[1], sums[2], sums[3], out + n);
    for (int j = 0; j < 4; j++) out[n + j] *= x_scale;
  }
  for (; n < N; n++) out[n] = x_scale * lanes_sum_of(stream_row(x, w + n * row_bytes, groups));
}

/* ---- More rows. rows and columns are constants wherever these are called. */

/* The lines `ahead` bytes behind the tile's are asked for. */
INLINE void project_tile(const int rows, const int columns, const int16_t *x, int64_t x_stride, const float *x_scales,
                         const char *w, int64_t ahead, int64_t K, float *out, int64_t out_stride) {
  const int64_t row_bytes = i8_row_bytes(K), groups = i8_groups(K);
  lanes sums[PROJECT_ROWS * 4]; /* may be more than the tile has: lanes_sum4 takes them by four */
#pragma GCC unroll 32
  for (int i = 0; i < PROJECT_ROWS * 4; i++) sums[i] = lanes_zero();
  for (int64_t group = 0; group < groups; group++) {
    lanes_i32 codes[4][VECTORS];
    lanes scales[4];
#pragma GCC unroll 4
    for (int n = 0; n < columns; n++) {
      const char *const at = w + n * row_bytes + group * I8_GROUP;
      __builtin_prefetch(at + ahead);
#pragma GCC unroll 4
      for (int v = 0; v < VECTORS; v++) codes[n][v] = lanes_widen_i8(at + v * 2 * LANES);
      scales[n] = lanes_set(f32_at(w + n * row_bytes + groups * I8_GROUP, group));
    }
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++) {
      const int16_t *const values = x + r * x_stride + group * I8_GROUP;
#pragma GCC unroll 4
      for (int n = 0; n < columns; n++) {
        lanes_i32 sum = lanes_multiply_i16(codes[n][0], lanes_load_i16s(values));
#pragma GCC unroll 4
        for (int v = 1; v < VECTORS; v++)
          sum = lanes_add_i32(sum, lanes_multiply_i16(codes[n][v], lanes_load_i16s(values + v * 2 * LANES)));
        sums[r * columns + n] = lanes_fma(lanes_from_i32(sum), scales[n], sums[r * columns + n]);
      }
    }
  }
  float totals[PROJECT_ROWS * 4];
#pragma GCC unroll 8
  for (int i = 0; i < rows * columns; i += 4)
    lanes_sum4(sums[i], sums[i + 1], sums[i + 2], sums[i + 3], totals + i);
#pragma GCC unroll 8
  for (int r = 0; r < rows; r++)
#pragma GCC unroll 4
    for (int n = 0; n < columns; n++) out[r * out_stride + n] = x_scales[r] * totals[r * columns + n];
}

/* A block of rows against N rows of w, which come from memory (is_first) or from a cache. */
INLINE void project_block(const int rows, int is_first, const int16_t *x, int64_t x_stride, const float *x_scales,
                          const char *w, int64_t N, int64_t K, float *out, int64_t out_stride) {
  const int64_t row_bytes = i8_row_bytes(K), tile_bytes = PROJECT_I8_COLUMNS(rows) * row_bytes;
  const int64_t ahead = is_first ? (AHEAD + tile_bytes - 1) / tile_bytes * tile_bytes : 0;
  int64_t n = 0;
  for (; n + PROJECT_I8_COLUMNS(rows) <= N; n += PROJECT_I8_COLUMNS(rows))
    project_tile(rows, PROJECT_I8_COLUMNS(rows), x, x_stride, x_scales, w + n * row_bytes, ahead, K, out + n,
                 out_stride);
  for (; n < N; n++) project_tile(rows, 1, x, x_stride, x_scales, w + n * row_bytes, 0, K, out + n, out_stride);
}

INLINE void project_rows(const int16_t *x, int64_t x_stride, const float *x_scales, int64_t rows, const char *w,
                         int64_t N, int64_t K, float *out, int64_t out_stride) {
  const int64_t row_bytes = i8_row_bytes(K);
  const int64_t piece_bytes = rows <= 2 * PROJECT_ROWS ? SMALL_PIECE : PIECE;
  const int64_t fitting = piece_bytes / (row_bytes * TILES) * TILES;
  const int64_t piece = rows <= PROJECT_ROWS ? N : fitting > 0 ? fitting : TILES;
  for (int64_t n = 0; n < N; n += piece) {
    const int64_t columns = N - n < piece ? N - n : piece;
    for (int64_t r = 0; r < rows;) {
      const int64_t left = rows - r, blocks = (left + PROJECT_ROWS - 1) / PROJECT_ROWS;
#define BLOCK(count)                                                                                               \
  case count:                                                                                                      \
    project_block(count, r == 0, x + r * x_stride, x_stride, x_scales + r, w + n * row_bytes, columns, K,          \
                  out + r * out_stride + n, out_stride);                                                           \
    r += count;                                                                                                    \
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

void LANES_KERNEL(project_i16i8f32)(const int16_t *x, int64_t x_stride, const float *x_scales, int64_t rows,
                                    const void *w, int64_t N, int64_t K, float *out, int64_t out_stride) {
  if (rows == 1)
    stream(x, x_scales[0], w, N, K, out);
  else
    project_rows(x, x_stride, x_scales, rows, w, N, K, out, out_stride);
}

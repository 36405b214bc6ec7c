/* project_i8: out[r, n] = x_scales[r] · Σgroups scale · Σk x[r, k] · code[n, k], x I16, weights as rows_i8.h has them.
 *
 * Products of 16 bits with 8 are added in pairs to 32 bits, exactly, and no sum of a group can overflow: with
 * activations of 16 bits nothing of their accuracy is lost, and the same instructions do it on every processor, where
 * there is VNNI one for both. Activations of 8 bits would save half of them and cost as much accuracy as the weights do.
 *
 * A lane is a row of w. A pair of activations meets the pairs of a block in one vector of sums (of 16 lanes, else two);
 * a group costs a block one conversion and one multiply-add. Sums of groups are one chain in F32, whatever the number
 * of rows of x: a row's numbers do not depend on those beside it. A tile is rows of x × blocks; one row alone has sums of
 * its own for some pairs in turn, for one chain would wait for itself. Included by <isa>/project_i8.c after its lanes.h. */
#include "../decoder_kernels.h"
#include "../rows_i8.h"

enum {
  LINE = 64,               /* bytes of a cache line: two pairs of a block */
  AHEAD = 8 * 1024,        /* bytes, as project.h */
  SMALL_PIECE = 16 * 1024, /* the same */
  PIECE = 256 * 1024,
  VECTORS = I8_BLOCK / LANES, /* of sums for a block */
  PAIRS = I8_GROUP / 2,
  PAIR_BYTES = 2 * I8_BLOCK,
  TILE_BLOCKS = 2 /* most of a tile */
};

#define INLINE static inline __attribute__((always_inline))

/* rows, blocks and chains are constants wherever this is called. The lines `ahead` bytes behind the tile's are asked
 * for; of its columns the first `columns` are stored. */
INLINE void project_tile(const int rows, const int blocks, const int chains, const int16_t *x, int64_t x_stride,
                         const float *x_scales, const char *w, int64_t ahead, int64_t K, int64_t columns, float *out,
                         int64_t out_stride) {
  const int64_t groups = i8_groups(K), block_bytes = i8_block_bytes(K);
  const int vectors = blocks * VECTORS;
  lanes sums[PROJECT_ROWS * TILE_BLOCKS * VECTORS];
#pragma GCC unroll 32
  for (int i = 0; i < rows * vectors; i++) sums[i] = lanes_zero();
  for (int64_t group = 0; group < groups; group++, w += I8_GROUP_BYTES, x += I8_GROUP) {
    lanes_i32 whole[4][PROJECT_ROWS * TILE_BLOCKS * VECTORS];
#pragma GCC unroll 4
    for (int c = 0; c < chains; c++)
#pragma GCC unroll 32
      for (int i = 0; i < rows * vectors; i++) whole[c][i] = lanes_zero_i32();
    for (int64_t pair = 0; pair < PAIRS; pair += 4) {
#pragma GCC unroll 2
      for (int b = 0; b < blocks; b++) {
        __builtin_prefetch(w + b * block_bytes + pair * PAIR_BYTES + ahead);
        __builtin_prefetch(w + b * block_bytes + pair * PAIR_BYTES + LINE + ahead);
      }
#pragma GCC unroll 4
      for (int p = 0; p < 4; p++) {
        lanes_i32 codes[TILE_BLOCKS * VECTORS];
#pragma GCC unroll 4
        for (int i = 0; i < vectors; i++)
          codes[i] = lanes_widen_i8(w + i / VECTORS * block_bytes + (pair + p) * PAIR_BYTES + i % VECTORS * 2 * LANES);
#pragma GCC unroll 8
        for (int r = 0; r < rows; r++) {
          const lanes_i32 both = lanes_pair_i16(x + r * x_stride + 2 * (pair + p));
#pragma GCC unroll 4
          for (int i = 0; i < vectors; i++)
            whole[p % chains][r * vectors + i] = lanes_dot_i16(whole[p % chains][r * vectors + i], codes[i], both);
        }
      }
    }
#pragma GCC unroll 2
    for (int b = 0; b < blocks; b++) __builtin_prefetch(w + b * block_bytes + I8_GROUP_CODES + ahead);
#pragma GCC unroll 4
    for (int i = 0; i < vectors; i++) {
      const lanes scales = lanes_load(w + i / VECTORS * block_bytes + I8_GROUP_CODES + i % VECTORS * 4 * LANES);
#pragma GCC unroll 8
      for (int r = 0; r < rows; r++) {
        lanes_i32 sum = whole[0][r * vectors + i];
#pragma GCC unroll 4
        for (int c = 1; c < chains; c++) sum = lanes_add_i32(sum, whole[c][r * vectors + i]);
        sums[r * vectors + i] = lanes_fma(lanes_from_i32(sum), scales, sums[r * vectors + i]);
      }
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < rows; r++)
#pragma GCC unroll 4
    for (int i = 0; i < vectors; i++) {
      const lanes scaled = lanes_mul(lanes_set(x_scales[r]), sums[r * vectors + i]);
      float *const at = out + r * out_stride + i * LANES;
      const int64_t left = columns - i * LANES;
      if (left >= LANES)
        lanes_store(at, scaled);
      else if (left > 0)
        lanes_store_first(at, left, scaled);
    }
}

/* A block of rows of x against N rows of w, which come from memory (is_first) or from a cache. */
INLINE void project_rows(const int rows, int is_first, const int16_t *x, int64_t x_stride, const float *x_scales,
                         const char *w, int64_t N, int64_t K, float *out, int64_t out_stride) {
  const int64_t block_bytes = i8_block_bytes(K);
  const int blocks = PROJECT_I8_BLOCKS(rows), chains = rows * blocks * VECTORS >= 4 ? 1 : 4;
  const int64_t tile_bytes = blocks * block_bytes;
  /* With several blocks whole tiles ahead: a line of this tile is too near. */
  const int64_t ahead = !is_first ? 0 : blocks == 1 ? AHEAD : (AHEAD + tile_bytes - 1) / tile_bytes * tile_bytes;
  int64_t n = 0;
  for (; blocks > 1 && N - n > I8_BLOCK; n += blocks * I8_BLOCK, w += tile_bytes)
    project_tile(rows, blocks, chains, x, x_stride, x_scales, w, ahead, K, N - n, out + n, out_stride);
  for (; n < N; n += I8_BLOCK, w += block_bytes)
    project_tile(rows, 1, rows * VECTORS >= 4 ? 1 : 4, x, x_stride, x_scales, w, is_first ? AHEAD : 0, K, N - n, out + n,
                 out_stride);
}

void LANES_KERNEL(project_i16i8f32)(const int16_t *x, int64_t x_stride, const float *x_scales, int64_t rows,
                                    const void *w, int64_t N, int64_t K, float *out, int64_t out_stride) {
  const int64_t block_bytes = i8_block_bytes(K);
  const int64_t piece_bytes = rows <= 2 * PROJECT_ROWS ? SMALL_PIECE : PIECE;
  const int64_t fitting = piece_bytes / (block_bytes * TILE_BLOCKS) * TILE_BLOCKS;
  const int64_t piece = rows <= PROJECT_ROWS ? N : (fitting > 0 ? fitting : TILE_BLOCKS) * I8_BLOCK;
  for (int64_t n = 0; n < N; n += piece) {
    const int64_t columns = N - n < piece ? N - n : piece;
    const char *const from = (const char *)w + n / I8_BLOCK * block_bytes;
    for (int64_t r = 0; r < rows;) {
      const int64_t left = rows - r, turns = (left + PROJECT_ROWS - 1) / PROJECT_ROWS;
#define ROWS(count)                                                                                                \
  case count:                                                                                                      \
    project_rows(count, r == 0, x + r * x_stride, x_stride, x_scales + r, from, columns, K, out + r * out_stride + n, \
                 out_stride);                                                                                      \
    r += count;                                                                                                    \
    break
      switch ((left + turns - 1) / turns) { /* ten rows as five and five */
        ROWS(1);
        ROWS(2);
        ROWS(3);
        ROWS(4);
#if PROJECT_ROWS > 4
        ROWS(5);
        ROWS(6);
#endif
#if PROJECT_ROWS > 6
        ROWS(7);
        ROWS(8);
#endif
      }
#undef ROWS
    }
  }
}

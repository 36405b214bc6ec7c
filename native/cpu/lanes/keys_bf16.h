/* Scores of attention in BF16: queries times log2(e) / √D, and keys, rounded to BF16; sums F32. */
#include "pairs.h"

static inline int64_t key_panel_floats(int64_t width) { return (width + 1) / PAIR * TILE_COLUMNS; }
static inline int64_t query_tile_floats(int64_t width) { return (width + 1) / PAIR * TILE_ROWS; }

static void pack_keys(const float *k, int64_t stride, int64_t count, int64_t width, float *panel) {
  pack_panel_pairs(k, stride, count, width, panel);
}

static void pack_queries(const gemm_rows *q, int count, int64_t width, float factor, float *tile) {
  pack_tile_pairs(q, 0, count, 0, width, 1, lanes_set(factor), tile);
}

TILE_INLINE tile_sums score_tile(const float *tile, const float *panel, int64_t width) {
  return tile_multiply_bf16(tile_zero(), (width + 1) / PAIR, tile, TILE_ROWS, 1, panel);
}

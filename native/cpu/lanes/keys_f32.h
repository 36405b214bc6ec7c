/* Scores of attention in F32: queries times log2(e) / √D. */
#include "panel.h"
#include "steps.h"

static inline int64_t key_panel_floats(int64_t width) { return width * TILE_COLUMNS; }
static inline int64_t query_tile_floats(int64_t width) { return width * TILE_ROWS; }

static void pack_keys(const float *k, int64_t stride, int64_t count, int64_t width, float *panel) {
  pack_columns(k, stride, count, width, panel);
}

static void pack_queries(const gemm_rows *q, int count, int64_t width, float factor, float *tile) {
  for (int64_t d = 0; d < width; d += LANES) {
    const int64_t here = width - d < LANES ? width - d : LANES;
    lanes square[LANES];
#pragma GCC unroll 16
    for (int r = 0; r < LANES; r++)
      square[r] = r < count ? lanes_mul(lanes_load_first(q->data + r * q->stride + d, here), lanes_set(factor)) : lanes_zero();
    store_tile_steps(tile + d * TILE_ROWS, square, here);
  }
}

TILE_INLINE tile_sums score_tile(const float *tile, const float *panel, int64_t width) {
  return tile_multiply(tile_zero(), width, tile, TILE_ROWS, 1, panel);
}

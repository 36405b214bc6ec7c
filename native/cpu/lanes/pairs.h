/* Pairs of 16-bit numbers along K: packing, and products of tiles with panels. Included after <isa>/lanes.h, whose
 * lanes_pairs and lanes_pair_up say which numbers, and lanes_transpose.h. */
#ifndef SOTTO_LANES_PAIRS_H
#define SOTTO_LANES_PAIRS_H

#include "panel.h"
#include "steps.h"

enum { PAIR = 2, PAIRS_AT_ONCE = PAIR * LANES };

#if defined(LANES_PAIRS_ARE_BF16)
TILE_MULTIPLY(tile_multiply_bf16, lanes_dot_bf16)
#endif

TILE_INLINE lanes load_pairs(const float *values) {
  return lanes_pairs(lanes_load(values), lanes_load(values + LANES));
}

TILE_INLINE lanes load_scaled_pairs(const float *values, lanes factor) {
  return lanes_pairs(lanes_mul(lanes_load(values), factor), lanes_mul(lanes_load(values + LANES), factor));
}

/* gemm_kernel.pack_tile, every value times `factor` first if `is_scaled`, which is a constant. */
TILE_INLINE void pack_tile_pairs(const gemm_rows *a, int64_t row, int count, int64_t k, int64_t depth,
                                 const int is_scaled, lanes factor, float *tile) {
  float edge[PAIRS_AT_ONCE];
  for (int64_t done = 0; done < depth; done += PAIRS_AT_ONCE) {
    lanes square[LANES];
#pragma GCC unroll 16
    for (int r = 0; r < LANES; r++) {
      if (r >= TILE_ROWS) {
        square[r] = lanes_zero();
        continue;
      }
      const float *values = tile_values(a, row, r, count, k + done, depth - done, PAIRS_AT_ONCE, edge);
      square[r] = is_scaled ? load_scaled_pairs(values, factor) : load_pairs(values);
    }
    store_tile_steps(tile + done / PAIR * TILE_ROWS, square, (depth - done + 1) / PAIR);
  }
}

/* gemm_kernel.pack_panel */
static inline void pack_panel_pairs(const float *b, int64_t stride, int64_t count, int64_t depth, float *panel) {
  float edge[PAIRS_AT_ONCE];
  for (int n = 0; n < TILE_COLUMNS; n += LANES)
    for (int64_t k = 0; k < depth; k += PAIRS_AT_ONCE) {
      lanes square[LANES];
      for (int i = 0; i < LANES; i++) {
        const int is_there = n + i < count;
        square[i] = is_there ? load_pairs(values_from(b + (n + i) * stride, k, 0, depth, PAIRS_AT_ONCE, edge)) : lanes_zero();
      }
      store_panel_steps(panel + k / PAIR * TILE_COLUMNS + n, square, (depth - k + 1) / PAIR);
    }
}

#endif

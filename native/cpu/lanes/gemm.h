/* One tile of a product: out = act(tile · panel + bias) + addend, all in F32; kernels.h has the contract.
 *
 * tile [depth, TILE_ROWS], panel [depth, TILE_COLUMNS]; panel.h has the loop. Sums are F32 in the order of k, one
 * rounding each, within K · 2⁻²⁴ of Σ|a·b|; a result does not depend on the tile it lies in or on its neighbours.
 *
 * Included by <isa>/gemm.c, which defines TILE_ROWS, TILE_VECTORS, GEMM_NAME, GEMM_KC and GEMM_BLOCK_BYTES. */
#include "../kernels.h"
#include "gemm_store.h"
#include "panel.h"

/* Whole squares are transposed in registers and stored LANES wide: what exceeds the tile's rows is overwritten by the
 * next column, which always comes. */
_Static_assert(LANES <= 2 * TILE_ROWS && TILE_ROWS <= LANES, "a square must hold a column and not reach behind the next");

static void pack_tile(const gemm_rows *a, int64_t row, int count, int64_t k, int64_t depth, void *tile) {
  float *out = tile;
  const int64_t begin = a->offset + row * a->stride + k;
  int64_t done = 0;
  if (count == TILE_ROWS && begin >= 0 && begin + (TILE_ROWS - 1) * a->stride + depth <= a->length) {
    for (; done + LANES < depth; done += LANES) {
      lanes square[LANES];
#pragma GCC unroll 16
      for (int r = 0; r < LANES; r++)
        square[r] = r < TILE_ROWS ? lanes_load(a->data + begin + r * a->stride + done) : lanes_zero();
      lanes_transpose(square);
#pragma GCC unroll 16
      for (int i = 0; i < LANES; i++) lanes_store(out + (done + i) * TILE_ROWS, square[i]);
    }
  }
  /* The last columns, and tiles at an edge, one by one. */
  for (int r = 0; r < TILE_ROWS; r++) {
    const int64_t start = begin + r * a->stride;
    for (int64_t i = done; i < depth; i++) {
      const int is_inside = r < count && start + i >= 0 && start + i < a->length;
      out[i * TILE_ROWS + r] = is_inside ? a->data[start + i] : 0.0f;
    }
  }
}

static void pack_panel(const float *b, int64_t stride, int count, int64_t depth, void *panel) {
  pack_columns(b, stride, count, depth, panel);
}

static void multiply(int64_t depth, const void *tile, const void *panel, float *sums, int is_first,
                     const gemm_store *store) {
  tile_sums c = is_first ? tile_zero() : tile_load(sums, TILE_COLUMNS);
  c = tile_multiply(c, depth, tile, TILE_ROWS, 1, panel);
  tile_store(&c, sums, TILE_COLUMNS);
  if (store != NULL) store_tile(sums, store);
}

gemm_kernel GEMM_NAME = {
    .mr = TILE_ROWS,
    .nr = TILE_COLUMNS,
    .k_step = 1,
    .a_step_bytes = TILE_ROWS * sizeof(float),
    .b_step_bytes = TILE_COLUMNS * sizeof(float),
    .kc = GEMM_KC,
    .block_bytes = GEMM_BLOCK_BYTES,
    .pack_tile = pack_tile,
    .pack_panel = pack_panel,
    .multiply = multiply,
};

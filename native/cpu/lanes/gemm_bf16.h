/* A product of operands rounded to BF16, to nearest even; sums F32; kernels.h has the contract.
 *
 * A step is a pair of neighbours along K: tile [depth / 2, TILE_ROWS] pairs, panel [depth / 2, TILE_COLUMNS] pairs. One
 * instruction multiplies two pairs and adds both products to an F32 sum; subnormal operands count as 0.
 *
 * Included by <isa>/gemm_bf16.c, which defines TILE_ROWS, TILE_VECTORS, GEMM_NAME, GEMM_KC and GEMM_BLOCK_BYTES. */
#define GEMM_GELU lanes_gelu_coarse
#include "gemm_store.h"
#include "pairs.h"

static void pack_tile(const gemm_rows *a, int64_t row, int count, int64_t k, int64_t depth, void *tile) {
  pack_tile_pairs(a, row, count, k, depth, 0, lanes_zero(), tile);
}

static void pack_panel(const float *b, int64_t stride, int count, int64_t depth, void *panel) {
  pack_panel_pairs(b, stride, count, depth, panel);
}

static void multiply(int64_t depth, const void *tile, const void *panel, float *sums, int is_first,
                     const gemm_store *store) {
  tile_sums c = is_first ? tile_zero() : tile_load(sums, TILE_COLUMNS);
  c = tile_multiply_bf16(c, (depth + 1) / PAIR, tile, TILE_ROWS, 1, panel);
  tile_store(&c, sums, TILE_COLUMNS);
  if (store != NULL) store_tile(sums, store);
}

gemm_kernel GEMM_NAME = {
    .mr = TILE_ROWS,
    .nr = TILE_COLUMNS,
    .k_step = PAIR,
    .a_step_bytes = TILE_ROWS * sizeof(float),
    .b_step_bytes = TILE_COLUMNS * sizeof(float),
    .kc = GEMM_KC,
    .block_bytes = GEMM_BLOCK_BYTES,
    .pack_tile = pack_tile,
    .pack_panel = pack_panel,
    .multiply = multiply,
};

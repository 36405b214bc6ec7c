/* A product of operands rounded to F16, to nearest even; kernels.h has the contract.
 *
 * Tiles and panels are pairs along K, as in BF16 (gemm_bf16.h), but the instruction multiplies and adds each half by
 * itself, in F16: one half of a sum gathers the even k, the other the odd. So sums are kept short: after F16_RUN steps
 * both halves are added and go into F32 sums, which stay in the first-level cache. Of the largest partial sum, each of
 * the F16_RUN additions errs by 2⁻¹¹ at most. A partial sum must stay below 65504.
 *
 * Included by <isa>/gemm_f16.c, which defines TILE_ROWS, TILE_VECTORS, GEMM_NAME, GEMM_KC and GEMM_BLOCK_BYTES. */
#include <string.h>

#include "../f16_run.h"
#define GEMM_GELU lanes_gelu_coarse
#include "gemm_store.h"
#include "pairs.h"

TILE_MULTIPLY(tile_multiply_f16, lanes_fma_f16)

static void pack_tile(const gemm_rows *a, int64_t row, int count, int64_t k, int64_t depth, void *tile) {
  pack_tile_pairs(a, row, count, k, depth, 0, lanes_zero(), tile);
}

static void pack_panel(const float *b, int64_t stride, int count, int64_t depth, void *panel) {
  pack_panel_pairs(b, stride, count, depth, panel);
}

/* Adds a run of steps to the sums. A function of its own for the reason that multiply_group of gemm_i8.h is one. */
static __attribute__((noinline)) void multiply_run(int64_t steps, const float *a, const float *b, float *sums) {
  tile_sums halves = tile_multiply_f16(tile_zero(), steps, a, TILE_ROWS, 1, b);
#pragma GCC unroll 16
  for (int r = 0; r < TILE_ROWS; r++)
#pragma GCC unroll 4
    for (int v = 0; v < TILE_VECTORS; v++) LANES_KEEP(halves.at[r][v]);
#pragma GCC unroll 16
  for (int r = 0; r < TILE_ROWS; r++)
#pragma GCC unroll 4
    for (int v = 0; v < TILE_VECTORS; v++) {
      float *sum = sums + r * TILE_COLUMNS + v * LANES;
      lanes_store(sum, lanes_add(lanes_load(sum), lanes_sum_halves(halves.at[r][v])));
    }
}

static void multiply(int64_t depth, const void *tile, const void *panel, float *sums, int is_first,
                     const gemm_store *store) {
  const float *a = tile, *b = panel;
  if (is_first) memset(sums, 0, TILE_ROWS * TILE_COLUMNS * sizeof *sums);
  for (int64_t left = (depth + 1) / PAIR; left > 0; left -= F16_RUN, a += F16_RUN * TILE_ROWS, b += F16_RUN * TILE_COLUMNS)
    multiply_run(left < F16_RUN ? left : F16_RUN, a, b, sums);
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

/* A product of operands rounded to INT8, with a scale for each group of 64 along K and each row; i8_group.h has the
 * codes, kernels.h the contract.
 *
 * A step is I8_STEP neighbours along K: four bytes, or two 16-bit words where the instruction set multiplies no bytes
 * without saturating. Its sums are INT32, and exact. Instructions that multiply bytes want one side unsigned, so a tile
 * holds code + 128, and a panel holds −128 · Σ codes of each group and column, where the sums begin.
 *
 *   group of a tile    steps [I8_GROUP / I8_STEP, TILE_ROWS], scales [TILE_ROWS]
 *   group of a panel   steps [I8_GROUP / I8_STEP, TILE_COLUMNS], beginnings [TILE_COLUMNS] INT32, scales [TILE_COLUMNS]
 *
 * After each group the sums, times both scales, are added to F32 sums, which stay in the first-level cache.
 * A value is rounded (K / 64 + 2) times.
 *
 * Included by <isa>/gemm_i8.c, which defines TILE_ROWS, TILE_VECTORS, GEMM_NAME, GEMM_KC and GEMM_BLOCK_BYTES. */
#include <string.h>

#include "codes.h"
#include "gemm_store.h"

enum {
  STEPS = I8_GROUP / I8_STEP,
  A_GROUP = (STEPS + 1) * TILE_ROWS,
  B_GROUP = (STEPS + 2) * TILE_COLUMNS, /* both in elements of 32 bits */
};
_Static_assert(I8_GROUP % CODES_AT_ONCE == 0, "a group is whole squares");

/* The largest |x| of a group, spread over the lanes. */
TILE_INLINE lanes largest_by_lane(const float *values) {
  lanes most[2] = {lanes_zero(), lanes_zero()};
#pragma GCC unroll 8
  for (int i = 0; i < I8_GROUP; i += 2 * LANES) {
    most[0] = lanes_max(most[0], lanes_abs(lanes_load(values + i)));
    most[1] = lanes_max(most[1], lanes_abs(lanes_load(values + i + LANES)));
  }
  return lanes_max(most[0], most[1]);
}

/* The scale of every row, whose largest |x| is spread over square[row]; and what its values are multiplied with, as
 * i8_factor and i8_scale say. */
TILE_INLINE lanes scales_of_rows(lanes square[LANES], float factors[LANES]) {
  lanes_transpose(square);
#pragma GCC unroll 16
  for (int i = 1; i < LANES; i++) square[0] = lanes_max(square[0], square[i]);
  const lanes most = lanes_set(I8_MOST), factor = lanes_div(most, lanes_max(square[0], lanes_set(I8_LEAST)));
  lanes_store(factors, lanes_zero_below(square[0], I8_LEAST, factor));
  return lanes_zero_below(square[0], I8_LEAST, lanes_div(square[0], most));
}

static void pack_tile(const gemm_rows *a, int64_t row, int count, int64_t k, int64_t depth, void *tile) {
  float edge[TILE_ROWS][I8_GROUP];
  _Alignas(64) float factors[LANES];
  float *out = tile;
  for (int64_t done = 0; done < depth; done += I8_GROUP, out += A_GROUP) {
    const float *rows[TILE_ROWS];
    lanes square[LANES];
#pragma GCC unroll 16
    for (int r = 0; r < LANES; r++) {
      if (r >= TILE_ROWS) {
        square[r] = lanes_zero();
        continue;
      }
      rows[r] = tile_values(a, row, r, count, k + done, depth - done, I8_GROUP, edge[r]);
      square[r] = largest_by_lane(rows[r]);
    }
    const lanes scales = scales_of_rows(square, factors);
    lanes_store_first(out + STEPS * TILE_ROWS, TILE_ROWS, scales);
    for (int i = 0; i < I8_GROUP; i += CODES_AT_ONCE) {
#pragma GCC unroll 16
      for (int r = 0; r < LANES; r++)
        square[r] = r < TILE_ROWS ? lanes_offset_codes(load_codes(rows[r] + i, lanes_set(factors[r]))) : lanes_zero();
      store_tile_steps(out + i / I8_STEP * TILE_ROWS, square, LANES);
    }
  }
}

static void pack_panel(const float *b, int64_t stride, int count, int64_t depth, void *panel) {
  float edge[LANES][I8_GROUP];
  float *out = panel;
  for (int64_t k = 0; k < depth; k += I8_GROUP, out += B_GROUP)
    for (int n = 0; n < TILE_COLUMNS; n += LANES) {
      const float *rows[LANES];
      float factors[LANES], *scales = out + (STEPS + 1) * TILE_COLUMNS + n;
      for (int i = 0; i < LANES; i++) {
        const int is_there = n + i < count;
        rows[i] = values_from(b + (is_there ? n + i : 0) * stride, k, 0, is_there ? depth : 0, I8_GROUP, edge[i]);
        const float largest = largest_of(rows[i], I8_GROUP);
        factors[i] = i8_factor(largest);
        scales[i] = i8_scale(largest);
      }
      lanes begin = lanes_zero();
      for (int i = 0; i < I8_GROUP; i += CODES_AT_ONCE) {
        lanes square[LANES];
        for (int r = 0; r < LANES; r++) square[r] = load_codes(rows[r] + i, lanes_set(factors[r]));
        store_panel_steps(out + i / I8_STEP * TILE_COLUMNS + n, square, LANES);
        for (int step = 0; step < LANES; step++) begin = lanes_take_offset(square[step], begin);
      }
      lanes_store(out + STEPS * TILE_COLUMNS + n, begin);
    }
}

/* Adds the product of one group to the sums. A function of its own, and all integers held in registers behind the loop:
 * else GCC 12 spills them in the innermost loop, which halves the speed. */
static __attribute__((noinline)) void multiply_group(const float *a, const float *b, float *sums) {
  tile_sums whole = tile_multiply_i8(tile_begin(b + STEPS * TILE_COLUMNS), STEPS, a, TILE_ROWS, 1, b);
#pragma GCC unroll 16
  for (int r = 0; r < TILE_ROWS; r++)
#pragma GCC unroll 4
    for (int v = 0; v < TILE_VECTORS; v++) LANES_KEEP(whole.at[r][v]);
  const float *a_scales = a + STEPS * TILE_ROWS, *b_scales = b + (STEPS + 1) * TILE_COLUMNS;
#pragma GCC unroll 16
  for (int r = 0; r < TILE_ROWS; r++) {
    const lanes a_scale = lanes_set(a_scales[r]);
#pragma GCC unroll 4
    for (int v = 0; v < TILE_VECTORS; v++) {
      float *sum = sums + r * TILE_COLUMNS + v * LANES;
      const lanes scale = lanes_mul(a_scale, lanes_load(b_scales + v * LANES));
      lanes_store(sum, lanes_fma(lanes_of_integers(whole.at[r][v]), scale, lanes_load(sum)));
    }
  }
}

static void multiply(int64_t depth, const void *tile, const void *panel, float *sums, int is_first,
                     const gemm_store *store) {
  const float *a = tile, *b = panel;
  if (is_first) memset(sums, 0, TILE_ROWS * TILE_COLUMNS * sizeof *sums);
  for (int64_t begin = 0; begin < depth; begin += I8_GROUP, a += A_GROUP, b += B_GROUP) multiply_group(a, b, sums);
  if (store != NULL) store_tile(sums, store);
}

gemm_kernel GEMM_NAME = {
    .mr = TILE_ROWS,
    .nr = TILE_COLUMNS,
    .k_step = I8_GROUP,
    .a_step_bytes = A_GROUP * sizeof(float),
    .b_step_bytes = B_GROUP * sizeof(float),
    .kc = GEMM_KC,
    .block_bytes = GEMM_BLOCK_BYTES,
    .pack_tile = pack_tile,
    .pack_panel = pack_panel,
    .multiply = multiply,
};

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
 * After each group the sums, times both scales, are added to F32 sums, which stay in registers for a block of K.
 * A value is rounded (K / 64 + 2) times.
 *
 * Included by <isa>/gemm_i8.c, which defines TILE_ROWS, TILE_VECTORS, GEMM_NAME, GEMM_KC and GEMM_BLOCK_BYTES. */
#include "groups.h"
#define GEMM_GELU lanes_gelu_coarse
#include "gemm_store.h"

enum { A_GROUP = (STEPS + 1) * TILE_ROWS }; /* in elements of 32 bits */

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

/* sums [HELD_ROWS, TILE_COLUMNS] (+)= so many rows of a tile, from `a` on, times a panel. */
static __attribute__((noinline)) void multiply_rows(int64_t groups, const float *a, const float *b, float *sums,
                                                    int is_first) {
  multiply_groups(groups, (group_rows){a, TILE_ROWS, 1, A_GROUP, a + STEPS * TILE_ROWS, A_GROUP}, b, sums, TILE_COLUMNS,
                  is_first);
}

static void multiply(int64_t depth, const void *tile, const void *panel, float *sums, int is_first,
                     const gemm_store *store) {
  const int64_t groups = (depth + I8_GROUP - 1) / I8_GROUP;
  for (int r = 0; r < TILE_ROWS; r += HELD_ROWS)
    multiply_rows(groups, (const float *)tile + r, panel, sums + r * TILE_COLUMNS, is_first);
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

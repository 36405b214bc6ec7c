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
#include "codes.h"
#define GEMM_GELU lanes_gelu_coarse
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

/* Rows that are multiplied together: their INT32 sums of a group and their F32 sums of all share the registers. */
enum { HELD_ROWS = TILE_ROWS / 2 };
_Static_assert(TILE_ROWS % HELD_ROWS == 0, "passes over a tile are whole");

/* sums [HELD_ROWS, TILE_COLUMNS] (+)= so many rows of a tile, from `a` on, times a panel. The sums of one group do not
 * depend on those of the next, so one's scaling runs while the other multiplies. Not inlined, and sums held in registers
 * behind the loop, because GCC 12 spills them in it otherwise: half the speed. */
static __attribute__((noinline)) void multiply_rows(int64_t groups, const float *a, const float *b, float *sums,
                                                    int is_first) {
  lanes total[HELD_ROWS][TILE_VECTORS];
#pragma GCC unroll 16
  for (int r = 0; r < HELD_ROWS; r++)
#pragma GCC unroll 4
    for (int v = 0; v < TILE_VECTORS; v++)
      total[r][v] = is_first ? lanes_zero() : lanes_load(sums + r * TILE_COLUMNS + v * LANES);
  for (; groups > 0; groups--, a += A_GROUP, b += B_GROUP) {
    const float *tile = a, *panel = b, *a_scales = a + STEPS * TILE_ROWS;
    const float *beginnings = b + STEPS * TILE_COLUMNS, *b_scales = beginnings + TILE_COLUMNS;
    lanes whole[HELD_ROWS][TILE_VECTORS];
#pragma GCC unroll 16
    for (int r = 0; r < HELD_ROWS; r++)
#pragma GCC unroll 4
      for (int v = 0; v < TILE_VECTORS; v++) whole[r][v] = lanes_load(beginnings + v * LANES);
    for (int step = 0; step < STEPS; step++, tile += TILE_ROWS, panel += TILE_COLUMNS) {
      lanes column[TILE_VECTORS];
#pragma GCC unroll 4
      for (int v = 0; v < TILE_VECTORS; v++) column[v] = lanes_load(panel + v * LANES);
#pragma GCC unroll 16
      for (int r = 0; r < HELD_ROWS; r++) {
        lanes value = lanes_set(tile[r]);
        LANES_KEEP(value);
#pragma GCC unroll 4
        for (int v = 0; v < TILE_VECTORS; v++) whole[r][v] = lanes_dot_i8(value, column[v], whole[r][v]);
      }
    }
#pragma GCC unroll 16
    for (int r = 0; r < HELD_ROWS; r++)
#pragma GCC unroll 4
      for (int v = 0; v < TILE_VECTORS; v++) LANES_KEEP(whole[r][v]);
#pragma GCC unroll 16
    for (int r = 0; r < HELD_ROWS; r++) {
      const lanes a_scale = lanes_set(a_scales[r]);
#pragma GCC unroll 4
      for (int v = 0; v < TILE_VECTORS; v++) {
        const lanes scale = lanes_mul(a_scale, lanes_load(b_scales + v * LANES));
        total[r][v] = lanes_fma(lanes_of_integers(whole[r][v]), scale, total[r][v]);
        LANES_KEEP(total[r][v]);
      }
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < HELD_ROWS; r++)
#pragma GCC unroll 4
    for (int v = 0; v < TILE_VECTORS; v++) lanes_store(sums + r * TILE_COLUMNS + v * LANES, total[r][v]);
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

/* Scores of attention in INT8: queries times log2(e) / √D, and keys, rounded to INT8 with a scale for each row
 * (i8_group.h, the whole row being one group); sums INT32 and exact, then times both scales.
 *
 *   tile of queries   steps [⌈D / I8_STEP⌉, TILE_ROWS], scales [TILE_ROWS]
 *   panel of keys     steps [⌈D / I8_STEP⌉, TILE_COLUMNS], beginnings [TILE_COLUMNS], scales [TILE_COLUMNS] */
#include "codes.h"

static inline int64_t key_steps(int64_t width) { return (width + I8_STEP - 1) / I8_STEP; }
static inline int64_t key_panel_floats(int64_t width) { return (key_steps(width) + 2) * TILE_COLUMNS; }
static inline int64_t query_tile_floats(int64_t width) { return (key_steps(width) + 1) * TILE_ROWS; }

static void pack_keys(const float *k, int64_t stride, int64_t count, int64_t width, float *panel) {
  const int64_t steps = key_steps(width);
  float *beginnings = panel + steps * TILE_COLUMNS, *scales = beginnings + TILE_COLUMNS;
  for (int n = 0; n < TILE_COLUMNS; n += LANES) {
    float factors[LANES];
    for (int i = 0; i < LANES; i++) {
      const float largest = n + i < count ? largest_of(k + (n + i) * stride, width) : 0;
      factors[i] = i8_factor(largest);
      scales[n + i] = i8_scale(largest);
    }
    lanes begin = lanes_zero();
    float edge[CODES_AT_ONCE];
    for (int64_t d = 0; d < width; d += CODES_AT_ONCE) {
      lanes square[LANES];
      for (int i = 0; i < LANES; i++) {
        const int is_there = n + i < count;
        const float *row = values_from(k + (is_there ? n + i : 0) * stride, d, 0, is_there ? width : 0, CODES_AT_ONCE, edge);
        square[i] = load_codes(row, lanes_set(factors[i]));
      }
      store_panel_steps(panel + d / I8_STEP * TILE_COLUMNS + n, square, steps - d / I8_STEP);
      for (int step = 0; step < LANES; step++) begin = lanes_take_offset(square[step], begin);
    }
    lanes_store(beginnings + n, begin);
  }
}

static void pack_queries(const gemm_rows *q, int count, int64_t width, float factor, float *tile) {
  const int64_t steps = key_steps(width);
  float factors[TILE_ROWS];
  for (int r = 0; r < TILE_ROWS; r++) {
    const float largest = r < count ? largest_of(q->data + r * q->stride, width) : 0;
    factors[r] = i8_factor(largest);
    tile[steps * TILE_ROWS + r] = i8_scale(largest) * factor;
  }
  float edge[CODES_AT_ONCE];
  for (int64_t d = 0; d < width; d += CODES_AT_ONCE) {
    lanes square[LANES];
    for (int r = 0; r < LANES; r++) {
      if (r >= TILE_ROWS) {
        square[r] = lanes_zero();
        continue;
      }
      const float *row = tile_values(q, 0, r, count, d, width - d, CODES_AT_ONCE, edge);
      square[r] = lanes_offset_codes(load_codes(row, lanes_set(factors[r])));
    }
    store_tile_steps(tile + d / I8_STEP * TILE_ROWS, square, steps - d / I8_STEP);
  }
}

/* Scores, but for the factor of each query: query_factors. */
TILE_INLINE tile_sums score_tile(const float *tile, const float *panel, int64_t width) {
  const int64_t steps = key_steps(width);
  const float *beginnings = panel + steps * TILE_COLUMNS;
  tile_sums sums = tile_multiply_i8(tile_begin(beginnings), steps, tile, TILE_ROWS, 1, panel);
  lanes key_scale[TILE_VECTORS];
#pragma GCC unroll 4
  for (int v = 0; v < TILE_VECTORS; v++) key_scale[v] = lanes_load(beginnings + TILE_COLUMNS + v * LANES);
#pragma GCC unroll 16
  for (int r = 0; r < TILE_ROWS; r++)
#pragma GCC unroll 4
    for (int v = 0; v < TILE_VECTORS; v++) sums.at[r][v] = lanes_mul(lanes_of_integers(sums.at[r][v]), key_scale[v]);
  return sums;
}

/* [TILE_ROWS] */
static inline const float *query_factors(const float *tile, int64_t width) { return tile + key_steps(width) * TILE_ROWS; }

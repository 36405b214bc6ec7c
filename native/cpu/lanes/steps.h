/* Packing values of less than 32 bits: elements of 32 bits hold as many neighbours along K as fit, a step.
 *
 * Rows are read LANES steps at a time. Where a row has fewer values left, or lies outside its matrix, they come from a
 * copy with zeros, so that edges take the same way through the arithmetic as all else.
 *
 * Included after <isa>/lanes.h, lanes_transpose.h and panel.h. */
#ifndef SOTTO_LANES_STEPS_H
#define SOTTO_LANES_STEPS_H

#include "../kernels.h"

/* `wanted` values from index `begin` on, of which those in [first, end) exist: where they lie, or copied to `edge`. */
static inline const float *values_from(const float *data, int64_t begin, int64_t first, int64_t end, int64_t wanted,
                                       float *edge) {
  if (begin >= first && begin + wanted <= end) return data + begin;
  for (int64_t i = 0; i < wanted; i++) edge[i] = begin + i >= first && begin + i < end ? data[begin + i] : 0.0f;
  return edge;
}

/* The same of row r of a tile at column k, `left` columns before the tile's end; rows from `count` on are 0. */
static inline const float *tile_values(const gemm_rows *a, int64_t row, int r, int count, int64_t k, int64_t left,
                                       int64_t wanted, float *edge) {
  const int64_t begin = a->offset + (row + r) * a->stride + k;
  const int64_t first = begin > 0 ? begin : 0, end = begin + left < a->length ? begin + left : a->length;
  return values_from(a->data, begin, r < count ? first : INT64_MAX, r < count ? end : 0, wanted, edge);
}

/* Columns of a transposed square as steps of a tile. Each column is stored LANES wide: what exceeds the tile's rows is
 * overwritten by the next, and of the last column nothing exceeds. */
TILE_INLINE void store_tile_steps(float *out, lanes square[LANES], int64_t steps) {
  lanes_transpose(square);
  const int here = steps < LANES ? (int)steps : LANES;
#pragma GCC unroll 16
  for (int i = 0; i < LANES; i++) {
    if (i >= here) break;
    if (i == here - 1)
      lanes_store_first(out + i * TILE_ROWS, TILE_ROWS, square[i]);
    else
      lanes_store(out + i * TILE_ROWS, square[i]);
  }
}

/* The same as steps of LANES columns of a panel. */
static inline void store_panel_steps(float *out, lanes square[LANES], int64_t steps) {
  lanes_transpose(square);
  for (int i = 0; i < LANES && i < steps; i++) lanes_store(out + i * TILE_COLUMNS, square[i]);
}

#endif

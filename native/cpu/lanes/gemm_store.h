/* The way out of a tile: out = act(sums + bias) + addend. Included after <isa>/lanes.h; what includes it may define
 * GEMM_GELU, which is as exact as its products. */
#ifndef SOTTO_LANES_GEMM_STORE_H
#define SOTTO_LANES_GEMM_STORE_H

#include "../kernels.h"
#include "functions.h"
#include "panel.h"

#ifndef GEMM_GELU
#define GEMM_GELU lanes_gelu
#endif

/* One row, vector by vector; what is constant asks no question in the loop. */
TILE_INLINE void store_row(const float *sums, const gemm_store *store, int r, const int columns, const int is_gelu,
                           const int has_addend) {
  const float *addend = has_addend ? store->addend + r * store->addend_stride : NULL;
  float *out = store->out + r * store->out_stride;
#pragma GCC unroll 4
  for (int c = 0; c < columns; c += LANES) {
    const int width = columns - c < LANES ? columns - c : LANES;
    lanes value = lanes_load(sums + r * TILE_COLUMNS + c);
    if (store->bias != NULL) value = lanes_add(value, lanes_load(store->bias + c));
    if (is_gelu) value = GEMM_GELU(value);
    if (has_addend) value = lanes_add(value, width == LANES ? lanes_load(addend + c) : lanes_load_first(addend + c, width));
    if (width == LANES)
      lanes_store(out + c, value);
    else
      lanes_store_first(out + c, width, value);
  }
}

/* Rows of a whole panel. Asked inside the loop, these questions took a tenth of an INT8 product of depth 512. */
TILE_INLINE void store_rows(const float *sums, const gemm_store *store, const int is_gelu, const int has_addend) {
  for (int r = 0; r < store->rows; r++) store_row(sums, store, r, TILE_COLUMNS, is_gelu, has_addend);
}

static void store_tile(const float *sums, const gemm_store *store) {
  const int is_gelu = store->is_gelu, has_addend = store->addend != NULL;
  if (store->columns < TILE_COLUMNS)
    for (int r = 0; r < store->rows; r++) store_row(sums, store, r, store->columns, is_gelu, has_addend);
  else if (is_gelu && has_addend)
    store_rows(sums, store, 1, 1);
  else if (is_gelu)
    store_rows(sums, store, 1, 0);
  else if (has_addend)
    store_rows(sums, store, 0, 1);
  else
    store_rows(sums, store, 0, 0);
}

#endif

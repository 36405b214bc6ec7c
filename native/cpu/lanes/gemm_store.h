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

/* Rows of a tile at the last panel, which may have fewer columns. */
static void store_edge(const float *sums, const gemm_store *store) {
  for (int r = 0; r < store->rows; r++)
    for (int c = 0; c < store->columns; c += LANES) {
      const int width = store->columns - c < LANES ? store->columns - c : LANES;
      lanes value = lanes_load(sums + r * TILE_COLUMNS + c);
      if (store->bias != NULL) value = lanes_add(value, lanes_load(store->bias + c));
      if (store->is_gelu) value = GEMM_GELU(value);
      if (store->addend != NULL)
        value = lanes_add(value, lanes_load_first(store->addend + r * store->addend_stride + c, width));
      lanes_store_first(store->out + r * store->out_stride + c, width, value);
    }
}

/* Rows of a whole panel: no question is asked inside the loop, which would take as long as the sums themselves. */
TILE_INLINE void store_rows(const float *sums, const gemm_store *store, const int has_bias, const int is_gelu,
                            const int has_addend) {
  for (int r = 0; r < store->rows; r++)
#pragma GCC unroll 4
    for (int v = 0; v < TILE_VECTORS; v++) {
      const int c = v * LANES;
      lanes value = lanes_load(sums + r * TILE_COLUMNS + c);
      if (has_bias) value = lanes_add(value, lanes_load(store->bias + c));
      if (is_gelu) value = GEMM_GELU(value);
      if (has_addend) value = lanes_add(value, lanes_load(store->addend + r * store->addend_stride + c));
      lanes_store(store->out + r * store->out_stride + c, value);
    }
}

static void store_tile(const float *sums, const gemm_store *store) {
  const int has_addend = store->addend != NULL;
  if (store->columns < TILE_COLUMNS || (store->is_gelu && has_addend))
    store_edge(sums, store);
  else if (store->bias == NULL && !store->is_gelu && !has_addend)
    store_rows(sums, store, 0, 0, 0);
  else if (store->bias == NULL)
    store_edge(sums, store);
  else if (store->is_gelu)
    store_rows(sums, store, 1, 1, 0);
  else if (has_addend)
    store_rows(sums, store, 1, 0, 1);
  else
    store_rows(sums, store, 1, 0, 0);
}

#endif

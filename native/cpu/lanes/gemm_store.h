/* The way out of a tile: out = act(sums + bias) + addend. Included after <isa>/lanes.h. */
#ifndef SOTTO_LANES_GEMM_STORE_H
#define SOTTO_LANES_GEMM_STORE_H

#include "../kernels.h"
#include "functions.h"
#include "panel.h"

/* The finished sums of one vector of one row. */
TILE_INLINE lanes finish(lanes sum, const gemm_store *store, int column) {
  if (store->bias != NULL) sum = lanes_add(sum, lanes_load(store->bias + column));
  return store->is_gelu ? lanes_gelu(sum) : sum;
}

static void store_tile(const float *sums, const gemm_store *store) {
  for (int r = 0; r < store->rows; r++) {
    float *out = store->out + r * store->out_stride;
    const float *addend = store->addend == NULL ? NULL : store->addend + r * store->addend_stride;
    for (int c = 0; c < store->columns; c += LANES) {
      lanes value = finish(lanes_load(sums + r * TILE_COLUMNS + c), store, c);
      const int width = store->columns - c;
      if (width >= LANES) {
        if (addend != NULL) value = lanes_add(value, lanes_load(addend + c));
        lanes_store(out + c, value);
      } else {
        if (addend != NULL) value = lanes_add(value, lanes_load_first(addend + c, width));
        lanes_store_first(out + c, width, value);
      }
    }
  }
}

#endif

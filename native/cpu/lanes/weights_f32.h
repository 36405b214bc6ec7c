/* Weights and values of attention in F32: values as panels [⌈D / n⌉][T][n]. */
#include "functions.h"
#include "panel.h"

enum { KEYS_A_WEIGHT = 1 };

static inline int64_t value_panel_floats(int64_t T) { return T * TILE_COLUMNS; }

/* Keys [first, first + count) of v [T, width]. */
static void pack_values(const float *v, int64_t stride, int64_t T, int64_t width, int64_t first, int64_t count,
                        float *values) {
  for (int64_t t = first; t < first + count; t++)
    for (int64_t d = 0; d < width; d += LANES)
      lanes_store(values + d / TILE_COLUMNS * value_panel_floats(T) + t * TILE_COLUMNS + d % TILE_COLUMNS,
                  lanes_load_first(v + t * stride + d, width - d < LANES ? width - d : LANES));
}

TILE_INLINE lanes weight_of(lanes x) { return lanes_exp2_normal(x); }

TILE_INLINE void store_weights(float *out, const lanes weights[TILE_VECTORS]) {
#pragma GCC unroll 4
  for (int v = 0; v < TILE_VECTORS; v++) lanes_store(out + v * LANES, weights[v]);
}

static inline void scale_weights(float *weights, int64_t keys, lanes factor) {
  for (int64_t n = 0; n < keys; n += LANES) lanes_store(weights + n, lanes_mul(lanes_load(weights + n), factor));
}

/* o += weights · values, of the first `keys` keys of a block. */
TILE_INLINE tile_sums multiply_weights(tile_sums o, int64_t keys, const float *weights, const int64_t stride,
                                       const float *values) {
  return tile_multiply(o, keys, weights, 1, stride, values);
}

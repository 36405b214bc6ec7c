/* Weights and values of attention in BF16, as pairs of neighbouring keys: values as panels [⌈D / n⌉][⌈T / 2⌉][n] of pairs.
 * The exponentials are as exact as BF16 needs. */
#include "functions.h"
#include "pairs.h"

enum { KEYS_A_WEIGHT = PAIR };

static inline int64_t value_panel_floats(int64_t T) { return (T + 1) / PAIR * TILE_COLUMNS; }

/* Keys [first, first + count) of v [T, width]. */
static void pack_values(const float *v, int64_t stride, int64_t T, int64_t width, int64_t first, int64_t count,
                        float *values) {
  for (int64_t t = first; t < first + count; t += PAIR)
    for (int64_t d = 0; d < panels_of(width) * TILE_COLUMNS; d += LANES) {
      const int64_t here = width - d < 0 ? 0 : width - d < LANES ? width - d : LANES;
      const lanes even = lanes_load_first(v + t * stride + d, here);
      const lanes odd = lanes_load_first(v + (t + 1) * stride + d, t + 1 < T ? here : 0);
      float *out = values + d / TILE_COLUMNS * value_panel_floats(T) + t / PAIR * TILE_COLUMNS + d % TILE_COLUMNS;
      lanes_store(out, lanes_pair_up(even, odd));
    }
}

TILE_INLINE lanes weight_of(lanes x) { return lanes_exp2_coarse(x); }

TILE_INLINE void store_weights(float *out, const lanes weights[TILE_VECTORS]) {
#pragma GCC unroll 4
  for (int v = 0; v < TILE_VECTORS; v += PAIR) lanes_store(out + v / PAIR * LANES, lanes_pairs(weights[v], weights[v + 1]));
}

static inline void scale_weights(float *weights, int64_t keys, lanes factor) {
  for (int64_t n = 0; n < keys; n += PAIRS_AT_ONCE) {
    lanes first, second;
    lanes_of_pairs(lanes_load(weights + n / PAIR), &first, &second);
    lanes_store(weights + n / PAIR, lanes_pairs(lanes_mul(first, factor), lanes_mul(second, factor)));
  }
}

/* o += weights · values, of the first `keys` keys of a block. */
TILE_INLINE tile_sums multiply_weights(tile_sums o, int64_t keys, const float *weights, const int64_t stride,
                                       const float *values) {
  return tile_multiply_bf16(o, (keys + 1) / PAIR, weights, 1, stride, values);
}

/* Attention of one head over blocks of keys; no score is stored for longer than it takes to make a weight of it.
 *
 * For a tile of queries, and each block of ATTENTION_KEYS keys:
 *   x = q · kᵀ − m,  P = 2^x        [queries, keys of a panel], sums in registers; P stays in the first-level cache
 *   l = l + row sums of P
 *   O = O + P · v                   [queries, width]
 * and at the end O / l. q carries the factor log2(e) / √D, so that 2^x serves for e^x.
 *
 * m is the largest score of a row among the first panel of keys. That it may not be the largest of all costs nothing:
 * weights are floating-point numbers, exact to the same share of themselves wherever they lie, and O / l takes m out
 * again. Only a score more than RISE above m moves it, and what was gathered with it. So no pass over the scores looks
 * for maxima, and the exponentials of one tile run while the products of the next do.
 *
 *   packed: keys as panels [⌈T / n⌉] of key_panel_floats, values as panels [⌈D / n⌉] of value_panel_floats, n = TILE_COLUMNS
 *
 * Included by <isa>/attention*.c, which defines TILE_ROWS, TILE_VECTORS, ATTENTION_KEYS and ATTENTION_NAME, and
 * includes before what scores (keys_*.h) and weights (weights_*.h) are made of. */
#include <math.h>
#include <string.h>

#include "attended.h"

_Static_assert(ATTENTION_KEYS % TILE_COLUMNS == 0, "a block of keys is whole panels");
_Static_assert(TILE_VECTORS % KEYS_A_WEIGHT == 0, "a panel of keys is whole weights");

/* Below every score that can matter, and finite, so that differences are not NaN. */
#define LOWEST (-0x1p126f)

/* Weights up to 2^16, so that what thousands of keys add up to stays inside the range of F32 for values up to 1e30. Scores of
 * speech seldom rise that far. */
#define RISE 16.0f

#define LOG2_E 1.44269504088896341f

/* Where the packed values begin. */
static size_t values_offset(int64_t T, int64_t width) { return (size_t)(panels_of(T) * key_panel_floats(width)); }

static size_t packed_floats(int64_t T, int64_t width) {
  return values_offset(T, width) + (size_t)(panels_of(width) * value_panel_floats(T));
}

static void pack(const float *k, const float *v, int64_t stride, int64_t T, int64_t width, int64_t begin, int64_t end,
                 float *packed) {
  for (int64_t panel = begin; panel < end; panel++) {
    const int64_t first = panel * TILE_COLUMNS, count = T - first < TILE_COLUMNS ? T - first : TILE_COLUMNS;
    pack_keys(k + first * stride, stride, count, width, packed + panel * key_panel_floats(width));
    pack_values(v, stride, T, width, first, count, packed + values_offset(T, width));
  }
}

/* Rows of weights lie a cache line more than a power of two apart, or they would all want the same places in the cache. */
enum { WEIGHTS_STRIDE = ATTENTION_KEYS / KEYS_A_WEIGHT + 16 };

/* What a tile of queries has gathered so far. */
typedef struct {
  float *output;                          /* [TILE_ROWS, whole panels] */
  float *weights;                         /* [TILE_ROWS, WEIGHTS_STRIDE], of the running block */
  _Alignas(64) float sums[TILE_ROWS * LANES]; /* of weights, by lane */
  float offsets[TILE_ROWS];               /* m */
} tile_state;

static size_t query_floats(int64_t width) { return (size_t)((query_tile_floats(width) + 15) / 16 * 16); }
static size_t output_floats(int64_t width) { return (size_t)(TILE_ROWS * panels_of(width) * TILE_COLUMNS); }

static size_t scratch_floats(int64_t T, int64_t width) {
  (void)T;
  return query_floats(width) + TILE_ROWS * WEIGHTS_STRIDE + output_floats(width);
}

/* Moves m of the rows of x [TILE_ROWS, TILE_COLUMNS] that rise above `limit` to their largest, and all that was gathered
 * with the old m: the `done` weights before this panel's, their sums, and the output. */
static __attribute__((noinline)) void raise_offsets(tile_state *state, float *x, float limit, int64_t done,
                                                    int64_t output_width) {
  for (int r = 0; r < TILE_ROWS; r++) {
    float *row = x + r * TILE_COLUMNS;
    lanes most = lanes_load(row);
    for (int v = LANES; v < TILE_COLUMNS; v += LANES) most = lanes_max(most, lanes_load(row + v));
    const float rise = lanes_max_of(most);
    if (rise <= limit) continue;
    state->offsets[r] += rise;
    for (int v = 0; v < TILE_COLUMNS; v += LANES) lanes_store(row + v, lanes_sub(lanes_load(row + v), lanes_set(rise)));
    if (limit < 0) continue; /* the first panel: nothing was gathered */
    const lanes factor = lanes_set(exp2f(-rise));
    float *sums = state->sums + r * LANES, *output = state->output + r * output_width;
    lanes_store(sums, lanes_mul(lanes_load(sums), factor));
    for (int64_t d = 0; d < output_width; d += LANES) lanes_store(output + d, lanes_mul(lanes_load(output + d), factor));
    scale_weights(state->weights + r * WEIGHTS_STRIDE, done, factor);
  }
}

/* The weights of one panel of `count` keys, of which `done` came before it in this block. */
TILE_INLINE void weigh_panel(tile_state *state, const float *query, const float *panel, int64_t width, int64_t count,
                             int64_t done, int is_first, int64_t output_width) {
  _Alignas(64) float x[TILE_ROWS * TILE_COLUMNS];
  tile_sums scores = score_tile(query, panel, width);
  if (count < TILE_COLUMNS) {
    tile_store(&scores, x, TILE_COLUMNS);
    for (int r = 0; r < TILE_ROWS; r++)
      for (int64_t n = count; n < TILE_COLUMNS; n++) x[r * TILE_COLUMNS + n] = LOWEST;
    scores = tile_load(x, TILE_COLUMNS);
  }
  lanes most[4]; /* strands, or the latency of comparing adds up */
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) most[i] = lanes_set(LOWEST);
#pragma GCC unroll 16
  for (int r = 0; r < TILE_ROWS; r++) {
    const lanes offset = lanes_set(state->offsets[r]);
#pragma GCC unroll 4
    for (int v = 0; v < TILE_VECTORS; v++) {
      const lanes rise = lanes_sub(scores.at[r][v], offset);
      lanes_store(x + r * TILE_COLUMNS + v * LANES, rise);
      most[(r * TILE_VECTORS + v) % 4] = lanes_max(most[(r * TILE_VECTORS + v) % 4], rise);
    }
  }
  const int rises = lanes_any_above(lanes_max(lanes_max(most[0], most[1]), lanes_max(most[2], most[3])), RISE);
  if (is_first || rises) raise_offsets(state, x, is_first ? LOWEST : RISE, done, output_width);
#pragma GCC unroll 16
  for (int r = 0; r < TILE_ROWS; r++) {
    float *sum = state->sums + r * LANES;
    lanes weights[TILE_VECTORS], total = lanes_load(sum);
#pragma GCC unroll 4
    for (int v = 0; v < TILE_VECTORS; v++) {
      weights[v] = weight_of(lanes_load(x + r * TILE_COLUMNS + v * LANES));
      total = lanes_add(total, weights[v]);
    }
    lanes_store(sum, total);
    store_weights(state->weights + r * WEIGHTS_STRIDE + done / KEYS_A_WEIGHT, weights);
  }
}

static void attend(const float *q, int64_t q_stride, int queries, const float *packed, int64_t T, int64_t width,
                   float *out, int64_t out_stride, float *scratch) {
  const int64_t output_width = panels_of(width) * TILE_COLUMNS;
  const float *values = packed + values_offset(T, width);
  float *query = scratch;
  tile_state state = {.weights = query + query_floats(width)};
  state.output = state.weights + TILE_ROWS * WEIGHTS_STRIDE;
  pack_queries(&(gemm_rows){q, 0, q_stride, (queries - 1) * q_stride + width}, queries, width,
               LOG2_E / sqrtf((float)width), query);
  memset(state.output, 0, output_floats(width) * sizeof(float));

  for (int64_t t = 0; t < T; t += ATTENTION_KEYS) {
    const int64_t keys = T - t < ATTENTION_KEYS ? T - t : ATTENTION_KEYS;
    for (int64_t n = 0; n < keys; n += TILE_COLUMNS)
      weigh_panel(&state, query, packed + (t + n) / TILE_COLUMNS * key_panel_floats(width), width,
                  keys - n < TILE_COLUMNS ? keys - n : TILE_COLUMNS, n, t + n == 0, output_width);
    for (int64_t d = 0; d < output_width; d += TILE_COLUMNS) {
      tile_sums o = tile_load(state.output + d, output_width);
      o = multiply_weights(o, keys, state.weights, WEIGHTS_STRIDE,
                           values + d / TILE_COLUMNS * value_panel_floats(T) + t / KEYS_A_WEIGHT * TILE_COLUMNS);
      tile_store(&o, state.output + d, output_width);
    }
  }

  store_attended(state.sums, state.output, output_width, queries, width, out, out_stride);
}

attention_kernel ATTENTION_NAME = {
    .query_tile = TILE_ROWS,
    .key_panel = TILE_COLUMNS,
    .packed_floats = packed_floats,
    .scratch_floats = scratch_floats,
    .pack = pack,
    .attend = attend,
};

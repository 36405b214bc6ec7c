/* Attention of one head over blocks of keys; no score is stored for longer than it takes to make a weight of it.
 *
 * For up to ATTENTION_TILES tiles of queries, and each block of ATTENTION_KEYS keys:
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
 * A panel of keys, and a block of a panel of values, are read from the second-level cache once for all tiles.
 *
 *   packed: keys as panels [⌈T / n⌉] of key_panel_floats, values as panels [⌈D / n⌉] of value_panel_floats, n = TILE_COLUMNS
 *
 * Included by <isa>/attention*.c, which defines TILE_ROWS, TILE_VECTORS, ATTENTION_KEYS, ATTENTION_TILES and
 * ATTENTION_NAME, and includes before what scores (keys_*.h) and weights (weights_*.h) are made of. */
#include <math.h>
#include <string.h>

_Static_assert(ATTENTION_KEYS % TILE_COLUMNS == 0 && TILE_COLUMNS == 2 * LANES, "a block of keys is whole panels");

/* Below every score that can matter, and finite, so that differences are not NaN. */
#define LOWEST (-0x1p126f)

/* Weights up to 2^64 and their sums over 2^30 keys stay far inside the range of F32. */
#define RISE 64.0f

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
  return ATTENTION_TILES * (query_floats(width) + TILE_ROWS * WEIGHTS_STRIDE + output_floats(width));
}

/* Moves m of the rows of x [TILE_ROWS, TILE_COLUMNS] that rise above `limit` to their largest, and all that was gathered
 * with the old m: the `done` weights before this panel's, their sums, and the output. */
static __attribute__((noinline)) void raise_offsets(tile_state *state, float *x, float limit, int64_t done,
                                                    int64_t output_width) {
  for (int r = 0; r < TILE_ROWS; r++) {
    float *row = x + r * TILE_COLUMNS;
    const float rise = lanes_max_of(lanes_max(lanes_load(row), lanes_load(row + LANES)));
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
  lanes most[TILE_VECTORS][2]; /* strands, or the latency of their comparisons adds up */
#pragma GCC unroll 4
  for (int v = 0; v < TILE_VECTORS; v++) most[v][0] = most[v][1] = lanes_set(LOWEST);
#pragma GCC unroll 16
  for (int r = 0; r < TILE_ROWS; r++) {
    const lanes offset = lanes_set(state->offsets[r]);
#pragma GCC unroll 4
    for (int v = 0; v < TILE_VECTORS; v++) {
      scores.at[r][v] = lanes_sub(scores.at[r][v], offset);
      lanes_store(x + r * TILE_COLUMNS + v * LANES, scores.at[r][v]);
      most[v][r % 2] = lanes_max(most[v][r % 2], scores.at[r][v]);
    }
  }
  const lanes all = lanes_max(lanes_max(most[0][0], most[0][1]), lanes_max(most[1][0], most[1][1]));
  if (is_first || lanes_any_above(all, RISE)) raise_offsets(state, x, is_first ? LOWEST : RISE, done, output_width);
#pragma GCC unroll 16
  for (int r = 0; r < TILE_ROWS; r++) {
    float *row = x + r * TILE_COLUMNS, *sum = state->sums + r * LANES;
    const lanes first = weight_of(lanes_load(row)), second = weight_of(lanes_load(row + LANES));
    lanes_store(sum, lanes_add(lanes_load(sum), lanes_add(first, second)));
    store_weights(state->weights + r * WEIGHTS_STRIDE + done / KEYS_A_WEIGHT, first, second);
  }
}

static void attend(const float *q, int64_t q_stride, int queries, const float *packed, int64_t T, int64_t width,
                   float *out, int64_t out_stride, float *scratch) {
  const int64_t output_width = panels_of(width) * TILE_COLUMNS;
  const int tiles = (queries + TILE_ROWS - 1) / TILE_ROWS;
  const float *values = packed + values_offset(T, width);
  tile_state states[ATTENTION_TILES];
  float *queries_packed = scratch, *next = scratch + ATTENTION_TILES * query_floats(width);
  for (int i = 0; i < tiles; i++) {
    tile_state *state = &states[i];
    const int first = i * TILE_ROWS, count = queries - first < TILE_ROWS ? queries - first : TILE_ROWS;
    pack_queries(&(gemm_rows){q + first * q_stride, 0, q_stride, (count - 1) * q_stride + width}, count, width,
                 LOG2_E / sqrtf((float)width), queries_packed + (size_t)i * query_floats(width));
    state->weights = next, next += TILE_ROWS * WEIGHTS_STRIDE;
    state->output = next, next += output_floats(width);
    memset(state->output, 0, output_floats(width) * sizeof(float));
    memset(state->sums, 0, sizeof state->sums);
    memset(state->offsets, 0, sizeof state->offsets);
  }

  for (int64_t t = 0; t < T; t += ATTENTION_KEYS) {
    const int64_t keys = T - t < ATTENTION_KEYS ? T - t : ATTENTION_KEYS;
    for (int64_t n = 0; n < keys; n += TILE_COLUMNS)
      for (int i = 0; i < tiles; i++)
        weigh_panel(&states[i], queries_packed + (size_t)i * query_floats(width),
                    packed + (t + n) / TILE_COLUMNS * key_panel_floats(width), width,
                    keys - n < TILE_COLUMNS ? keys - n : TILE_COLUMNS, n, t + n == 0, output_width);
    for (int64_t d = 0; d < output_width; d += TILE_COLUMNS)
      for (int i = 0; i < tiles; i++) {
        tile_sums o = tile_load(states[i].output + d, output_width);
        o = multiply_weights(o, keys, states[i].weights, WEIGHTS_STRIDE,
                             values + d / TILE_COLUMNS * value_panel_floats(T) + t / KEYS_A_WEIGHT * TILE_COLUMNS);
        tile_store(&o, states[i].output + d, output_width);
      }
  }

  for (int i = 0; i < tiles; i++)
    for (int r = 0; r < TILE_ROWS && i * TILE_ROWS + r < queries; r++) {
      const lanes factor = lanes_set(1 / lanes_sum_of(lanes_load(states[i].sums + r * LANES)));
      float *row = out + (i * TILE_ROWS + r) * out_stride;
      for (int64_t d = 0; d < width; d += LANES)
        lanes_store_first(row + d, width - d < LANES ? width - d : LANES,
                          lanes_mul(lanes_load(states[i].output + r * output_width + d), factor));
    }
}

attention_kernel ATTENTION_NAME = {
    .query_tile = TILE_ROWS,
    .query_tiles = ATTENTION_TILES,
    .key_panel = TILE_COLUMNS,
    .packed_floats = packed_floats,
    .scratch_floats = scratch_floats,
    .pack = pack,
    .attend = attend,
};

/* Attention of one head in INT8: queries, keys, weights and values are codes, their sums exact; kernels.h has the contract.
 *
 * As attention.h, but weights get codes with a scale, so all scores of a group of 64 keys come before their weights:
 *   x = q · kᵀ                      [queries, 64], sums INT32, times the scales of query and key
 *   largest = row maxima of x,  P = 2^(x − largest) as codes 0…255
 *   l = l + 2^(largest − m) · row sums of P, before they are rounded
 * and after ATTENTION_KEYS of them
 *   O = O + Σ over groups of 2^(largest − m) · P · v
 * m is the largest score of a row among the first group, and moves where scores rise far above it: attention.h says why.
 *
 *   packed: keys as panels [⌈T / 64⌉ · 64 / n] of key_panel_floats, values as panels [⌈D / n⌉][⌈T / 64⌉] of groups (groups.h),
 *   n = TILE_COLUMNS
 *
 * Included by <isa>/attention_i8.c, which defines TILE_ROWS, TILE_VECTORS, ATTENTION_KEYS and ATTENTION_NAME. */
#include <math.h>
#include <string.h>

#include "attended.h"
#include "functions.h"
#include "groups.h"
#include "keys_i8.h"

#define LOG2_E 1.44269504088896341f

/* Below every score that can matter, and finite, so that differences are not NaN. */
#define LOWEST (-0x1p126f)

/* As attention.h has it. */
#define RISE 16.0f

enum {
  GROUP_PANELS = I8_GROUP / TILE_COLUMNS,
  GROUP_VECTORS = I8_GROUP / LANES,
  BLOCK_GROUPS = ATTENTION_KEYS / I8_GROUP,
  /* Rows lie a cache line more than a power of two apart, or they would all want the same places in the cache. */
  WEIGHTS_STRIDE = BLOCK_GROUPS * STEPS + 16,
};
_Static_assert(I8_GROUP % TILE_COLUMNS == 0 && ATTENTION_KEYS % I8_GROUP == 0, "groups are whole panels, blocks whole groups");

static inline int64_t groups_of(int64_t T) { return (T + I8_GROUP - 1) / I8_GROUP; }
static inline int64_t value_panel_floats(int64_t T) { return groups_of(T) * B_GROUP; }

/* Where the packed values begin. */
static size_t values_offset(int64_t T, int64_t width) {
  return (size_t)(groups_of(T) * GROUP_PANELS * key_panel_floats(width));
}

static size_t packed_floats(int64_t T, int64_t width) {
  return values_offset(T, width) + (size_t)(panels_of(width) * value_panel_floats(T));
}

/* `count` keys' values [count, width] as one group of every panel. */
static void pack_values(const float *v, int64_t stride, int64_t count, int64_t width, int64_t panel_floats, float *group) {
  for (int64_t d = 0; d < panels_of(width) * TILE_COLUMNS; d += LANES) {
    const int64_t here = width - d < 0 ? 0 : width - d < LANES ? width - d : LANES;
    lanes largest = lanes_zero();
    for (int64_t t = 0; t < count; t++) largest = lanes_max(largest, lanes_abs(lanes_load_first(v + t * stride + d, here)));
    const lanes most = lanes_set(I8_MOST);
    const lanes factor =
        lanes_zero_below(largest, I8_LEAST, lanes_div(most, lanes_max(largest, lanes_set(I8_LEAST))));
    float *out = group + d / TILE_COLUMNS * panel_floats + d % TILE_COLUMNS;
    lanes begin = lanes_zero();
    for (int64_t t = 0; t < I8_GROUP; t += I8_STEP, out += TILE_COLUMNS) {
      lanes x[I8_STEP];
      for (int i = 0; i < I8_STEP; i++)
        x[i] = t + i < count ? lanes_mul(lanes_load_first(v + (t + i) * stride + d, here), factor) : lanes_zero();
      const lanes step = lanes_step_of(x);
      lanes_store(out, step);
      begin = lanes_take_unsigned_offset(step, begin);
    }
    lanes_store(out, begin);
    lanes_store(out + TILE_COLUMNS, lanes_zero_below(largest, I8_LEAST, lanes_div(largest, most)));
  }
}

static void pack(const float *k, const float *v, int64_t stride, int64_t T, int64_t width, int64_t begin, int64_t end,
                 float *packed) {
  for (int64_t group = begin; group < end; group++) {
    const int64_t first = group * I8_GROUP, count = T - first < I8_GROUP ? T - first : I8_GROUP;
    for (int64_t n = 0; n < I8_GROUP; n += TILE_COLUMNS)
      pack_keys(k + (first + (n < count ? n : 0)) * stride, stride, count - n, width,
                packed + (first + n) / TILE_COLUMNS * key_panel_floats(width));
    pack_values(v + first * stride, stride, count, width, value_panel_floats(T),
                packed + values_offset(T, width) + group * B_GROUP);
  }
}

/* What a tile of queries has gathered so far. */
typedef struct {
  float *output;  /* [TILE_ROWS, whole panels] */
  float *weights; /* [TILE_ROWS, WEIGHTS_STRIDE] codes of the running block */
  _Alignas(64) float scales[BLOCK_GROUPS][LANES]; /* of their groups and rows: 2^(largest − m) / 255 */
  _Alignas(64) float sums[TILE_ROWS * LANES];     /* of weights, by lane */
  _Alignas(64) float offsets[LANES];              /* m */
} tile_state;

/* Scores of a group of keys: x · factor, and the largest of them. */
typedef struct {
  _Alignas(64) float x[TILE_ROWS * I8_GROUP];
  _Alignas(64) float factors[LANES], largest[LANES]; /* of each row */
} group_scores;

static size_t query_floats(int64_t width) { return (size_t)((query_tile_floats(width) + 15) / 16 * 16); }
static size_t output_floats(int64_t width) { return (size_t)(TILE_ROWS * panels_of(width) * TILE_COLUMNS); }

static size_t scratch_floats(int64_t T, int64_t width) {
  (void)T;
  return query_floats(width) + TILE_ROWS * WEIGHTS_STRIDE + output_floats(width);
}

/* Moves m of the rows whose largest is more than `limit` above it there, and all that was gathered with the old m: the
 * scales of `done` groups of this block, the sums, and the output. */
static __attribute__((noinline)) void raise_offsets(tile_state *state, const float *largest, float limit, int done,
                                                    int64_t output_width) {
  for (int r = 0; r < TILE_ROWS; r++) {
    const float rise = largest[r] - state->offsets[r];
    if (rise <= limit) continue;
    state->offsets[r] = largest[r];
    if (limit < 0) continue; /* the first group: nothing was gathered */
    const float factor = exp2f(-rise);
    for (int g = 0; g < done; g++) state->scales[g][r] *= factor;
    float *sums = state->sums + r * LANES, *output = state->output + r * output_width;
    lanes_store(sums, lanes_mul(lanes_load(sums), lanes_set(factor)));
    for (int64_t d = 0; d < output_width; d += LANES) lanes_store(output + d, lanes_mul(lanes_load(output + d), lanes_set(factor)));
  }
}

/* Scores of a group of `count` keys: x, and the largest of each row. */
static __attribute__((noinline)) void score_group(group_scores *scores, const float *query, const float *panels, int64_t width,
                                                  int64_t count) {
  for (int p = 0; p < GROUP_PANELS; p++) {
    const tile_sums sums = score_tile(query, panels + p * key_panel_floats(width), width);
    tile_store(&sums, scores->x + p * TILE_COLUMNS, I8_GROUP);
  }
  const lanes factors = lanes_load_first(query_factors(query, width), TILE_ROWS);
  lanes_store(scores->factors, factors);
  if (count < I8_GROUP) {
    for (int r = 0; r < TILE_ROWS; r++) {
      float *row = scores->x + r * I8_GROUP;
      for (int64_t n = 0; n < I8_GROUP; n++) row[n] = n < count ? row[n] * scores->factors[r] : LOWEST;
    }
    lanes_store(scores->factors, lanes_set(1));
  }
  lanes rows[LANES];
#pragma GCC unroll 16
  for (int r = 0; r < LANES; r++) {
    if (r >= TILE_ROWS) {
      rows[r] = lanes_zero();
      continue;
    }
    const float *row = scores->x + r * I8_GROUP;
    rows[r] = lanes_load(row);
#pragma GCC unroll 8
    for (int v = 1; v < GROUP_VECTORS; v++) rows[r] = lanes_max(rows[r], lanes_load(row + v * LANES));
  }
  lanes_store(scores->largest, lanes_mul(lanes_max_by_row(rows), lanes_load(scores->factors)));
}

/* Their weights, as the group behind `done` others of its block. */
static __attribute__((noinline)) void weigh_group(tile_state *state, const group_scores *scores, int done, int is_first,
                                                  int64_t output_width) {
  lanes rise = lanes_sub(lanes_load(scores->largest), lanes_load(state->offsets));
  if (is_first || lanes_any_above(rise, RISE)) {
    raise_offsets(state, scores->largest, is_first ? LOWEST : RISE, done, output_width);
    rise = lanes_sub(lanes_load(scores->largest), lanes_load(state->offsets));
  }
  float *scales = state->scales[done];
  lanes_store(scales, lanes_mul(lanes_exp2(rise), lanes_set(1.0f / 255)));
#pragma GCC unroll 16
  for (int r = 0; r < TILE_ROWS; r++) {
    float *sum = state->sums + r * LANES;
    const lanes largest = lanes_set(scores->largest[r]), factor = lanes_set(scores->factors[r]);
    lanes weights[GROUP_VECTORS];
#pragma GCC unroll 8
    for (int v = 0; v < GROUP_VECTORS; v++)
      weights[v] = lanes_exp2_255(lanes_sub(lanes_mul(lanes_load(scores->x + r * I8_GROUP + v * LANES), factor), largest));
    lanes total = weights[0];
#pragma GCC unroll 8
    for (int v = 1; v < GROUP_VECTORS; v++) total = lanes_add(total, weights[v]);
    lanes_store(sum, lanes_fma(total, lanes_set(scales[r]), lanes_load(sum)));
    float *codes = state->weights + r * WEIGHTS_STRIDE + done * STEPS;
#pragma GCC unroll 8
    for (int v = 0; v < GROUP_VECTORS; v += I8_STEP) lanes_store(codes + v / I8_STEP * LANES, lanes_unsigned_codes(weights + v));
  }
}

/* output [HELD_ROWS, TILE_COLUMNS] += so many rows of weights, from r on, times values. */
static __attribute__((noinline)) void multiply_rows(int64_t groups, const tile_state *state, int r, const float *values,
                                                    float *output, int64_t output_stride) {
  const group_rows weights = {state->weights + r * WEIGHTS_STRIDE, 1, WEIGHTS_STRIDE, STEPS, state->scales[0] + r, LANES};
  multiply_groups(groups, weights, values, output, output_stride, 0);
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

  /* Scores are one group ahead of weights, so that one's maxima are found while the other's exponentials run. */
  group_scores scores[2];
  const int64_t groups = groups_of(T), panel_floats = GROUP_PANELS * key_panel_floats(width);
  score_group(&scores[0], query, packed, width, T < I8_GROUP ? T : I8_GROUP);
  for (int64_t g = 0; g < groups; g++) {
    const int64_t left = T - (g + 1) * I8_GROUP;
    if (left > 0)
      score_group(&scores[(g + 1) % 2], query, packed + (g + 1) * panel_floats, width, left < I8_GROUP ? left : I8_GROUP);
    const int done = (int)(g % BLOCK_GROUPS);
    weigh_group(&state, &scores[g % 2], done, g == 0, output_width);
    if (done + 1 < BLOCK_GROUPS && left > 0) continue;
    for (int64_t d = 0; d < output_width; d += TILE_COLUMNS)
      for (int r = 0; r < TILE_ROWS; r += HELD_ROWS)
        multiply_rows(done + 1, &state, r, values + d / TILE_COLUMNS * value_panel_floats(T) + (g - done) * B_GROUP,
                      state.output + r * output_width + d, output_width);
  }

  store_attended(state.sums, state.output, output_width, queries, width, out, out_stride);
}

attention_kernel ATTENTION_NAME = {
    .query_tile = TILE_ROWS,
    .key_panel = I8_GROUP,
    .packed_floats = packed_floats,
    .scratch_floats = scratch_floats,
    .pack = pack,
    .attend = attend,
};

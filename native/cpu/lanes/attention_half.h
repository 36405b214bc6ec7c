/* Attention of one head with products in less than F32; attention.h has the way through it, kernels.h the contract.
 *
 * Scores come as keys_bf16.h or keys_i8.h say; the exponentials are as exact as BF16 needs, weights and values are
 * rounded to BF16, sums are F32. Against the softmax of the rounded scores: within 2⁻⁸ of the largest |v|.
 *
 *   packed: keys as panels [⌈T / n⌉] of key_panel_floats, values as panels [⌈D / n⌉][⌈T / 2⌉][n] of pairs of keys
 *
 * The largest score of each row is kept while the scores are still in registers, where it costs nothing: the units that
 * compare are not those that multiply. Weights take the place of the scores they come from, at half the size.
 *
 * Included by <isa>/attention_*.c, which defines TILE_ROWS, TILE_VECTORS, ATTENTION_KEYS and ATTENTION_NAME, and includes
 * the keys before. */
#include <math.h>
#include <string.h>

#include "functions.h"

_Static_assert(ATTENTION_KEYS % TILE_COLUMNS == 0 && TILE_COLUMNS == PAIRS_AT_ONCE, "a block of keys is whole panels");

/* Below every score that can matter, and finite, so that differences are not NaN. */
#define LOWEST (-0x1p126f)

#define LOG2_E 1.44269504088896341f

static inline int64_t panels_of(int64_t count) { return (count + TILE_COLUMNS - 1) / TILE_COLUMNS; }

/* Where the packed values begin, and what one of their panels takes. */
static size_t values_offset(int64_t T, int64_t width) { return (size_t)(panels_of(T) * key_panel_floats(width)); }
static int64_t value_panel_floats(int64_t T) { return (T + 1) / PAIR * TILE_COLUMNS; }

static size_t packed_floats(int64_t T, int64_t width) {
  return values_offset(T, width) + (size_t)(panels_of(width) * value_panel_floats(T));
}

/* Scratch: queries, scores [TILE_ROWS, ATTENTION_KEYS], maxima [TILE_ROWS, LANES], output [TILE_ROWS, whole panels]. */
static size_t query_floats(int64_t width) { return (size_t)((query_tile_floats(width) + 15) / 16 * 16); }

static size_t scratch_floats(int64_t T, int64_t width) {
  (void)T;
  return query_floats(width) + TILE_ROWS * (ATTENTION_KEYS + LANES) + (size_t)(TILE_ROWS * panels_of(width) * TILE_COLUMNS);
}

static void pack(const float *k, const float *v, int64_t stride, int64_t T, int64_t width, int64_t begin, int64_t end,
                 float *packed) {
  float *values = packed + values_offset(T, width);
  for (int64_t panel = begin; panel < end; panel++) {
    const int64_t first = panel * TILE_COLUMNS, count = T - first < TILE_COLUMNS ? T - first : TILE_COLUMNS;
    pack_keys(k + first * stride, stride, count, width, packed + panel * key_panel_floats(width));
    for (int64_t t = first; t < first + count; t += PAIR)
      for (int64_t d = 0; d < panels_of(width) * TILE_COLUMNS; d += LANES) {
        const int64_t here = width - d < 0 ? 0 : width - d < LANES ? width - d : LANES;
        const lanes even = lanes_load_first(v + t * stride + d, here);
        const lanes odd = lanes_load_first(v + (t + 1) * stride + d, t + 1 < T ? here : 0);
        float *out = values + d / TILE_COLUMNS * value_panel_floats(T) + t / PAIR * TILE_COLUMNS + d % TILE_COLUMNS;
        lanes_store(out, lanes_pair_up(even, odd));
      }
  }
}

/* What a tile of queries has gathered so far. */
typedef struct {
  float largest[TILE_ROWS];
  float sum[TILE_ROWS];
} softmax_state;

/* scores [TILE_ROWS, keys] of a block, and −∞ behind its last key up to a whole panel; maxima by lane. */
static void score_block(const float *q, const float *key_panels, int64_t width, int64_t keys, float *scores,
                        float *maxima) {
#pragma GCC unroll 16
  for (int r = 0; r < TILE_ROWS; r++) lanes_store(maxima + r * LANES, lanes_set(LOWEST));
  for (int64_t n = 0; n < keys; n += TILE_COLUMNS, key_panels += key_panel_floats(width)) {
    tile_sums s = score_tile(q, key_panels, width);
    if (keys - n < TILE_COLUMNS) {
      tile_store(&s, scores + n, ATTENTION_KEYS);
      for (int r = 0; r < TILE_ROWS; r++)
        for (int64_t i = keys; i < n + TILE_COLUMNS; i++) scores[r * ATTENTION_KEYS + i] = LOWEST;
      s = tile_load(scores + n, ATTENTION_KEYS);
    }
#pragma GCC unroll 16
    for (int r = 0; r < TILE_ROWS; r++) {
      lanes most = lanes_load(maxima + r * LANES);
#pragma GCC unroll 4
      for (int v = 0; v < TILE_VECTORS; v++) {
        lanes_store(scores + n + r * ATTENTION_KEYS + v * LANES, s.at[r][v]);
        most = lanes_max(most, s.at[r][v]);
      }
      lanes_store(maxima + r * LANES, most);
    }
  }
}

/* Scores to pairs of weights, in place; `output` and the state are brought to the new maximum. */
static void weigh_block(float *scores, const float *maxima, int64_t keys, float *output, int64_t output_width,
                        softmax_state *state) {
  for (int r = 0; r < TILE_ROWS; r++) {
    float *row = scores + r * ATTENTION_KEYS;
    const float block_most = lanes_max_of(lanes_load(maxima + r * LANES)), before = state->largest[r];
    const float now = block_most > before ? block_most : before;
    const lanes offset = lanes_set(now);
    lanes sum[2] = {lanes_zero(), lanes_zero()};
    for (int64_t n = 0; n < keys; n += PAIRS_AT_ONCE) {
      const lanes first = lanes_exp2_coarse(lanes_sub(lanes_load(row + n), offset));
      const lanes second = lanes_exp2_coarse(lanes_sub(lanes_load(row + n + LANES), offset));
      sum[0] = lanes_add(sum[0], first);
      sum[1] = lanes_add(sum[1], second);
      lanes_store(row + n / PAIR, lanes_pairs(first, second));
    }
    if (now > before) {
      const float correction = exp2f(before - now);
      state->largest[r] = now;
      state->sum[r] *= correction;
      for (int64_t d = 0; d < output_width; d += LANES) {
        float *at = output + r * output_width + d;
        lanes_store(at, lanes_mul(lanes_load(at), lanes_set(correction)));
      }
    }
    state->sum[r] += lanes_sum_of(lanes_add(sum[0], sum[1]));
  }
}

static void attend(const float *q, int64_t q_stride, int queries, const float *packed, int64_t T, int64_t width,
                   float *out, int64_t out_stride, float *scratch) {
  const int64_t output_width = panels_of(width) * TILE_COLUMNS;
  float *tile = scratch, *scores = tile + query_floats(width), *maxima = scores + TILE_ROWS * ATTENTION_KEYS;
  float *output = maxima + TILE_ROWS * LANES;
  const float *values = packed + values_offset(T, width);
  pack_queries(&(gemm_rows){q, 0, q_stride, (queries - 1) * q_stride + width}, queries, width,
               LOG2_E / sqrtf((float)width), tile);
  memset(output, 0, (size_t)(TILE_ROWS * output_width) * sizeof(float));
  softmax_state state;
  for (int r = 0; r < TILE_ROWS; r++) state.largest[r] = LOWEST, state.sum[r] = 0;

  for (int64_t t = 0; t < T; t += ATTENTION_KEYS) {
    const int64_t keys = T - t < ATTENTION_KEYS ? T - t : ATTENTION_KEYS;
    score_block(tile, packed + t / TILE_COLUMNS * key_panel_floats(width), width, keys, scores, maxima);
    weigh_block(scores, maxima, keys, output, output_width, &state);
    for (int64_t d = 0; d < output_width; d += TILE_COLUMNS) {
      const float *panel = values + d / TILE_COLUMNS * value_panel_floats(T) + t / PAIR * TILE_COLUMNS;
      tile_sums o = tile_load(output + d, output_width);
      o = tile_multiply_bf16(o, (keys + 1) / PAIR, scores, 1, ATTENTION_KEYS, panel);
      tile_store(&o, output + d, output_width);
    }
  }

  for (int r = 0; r < queries; r++) {
    const lanes factor_out = lanes_set(1 / state.sum[r]);
    for (int64_t d = 0; d < width; d += LANES) {
      const lanes value = lanes_mul(lanes_load(output + r * output_width + d), factor_out);
      lanes_store_first(out + r * out_stride + d, width - d < LANES ? width - d : LANES, value);
    }
  }
}

attention_kernel ATTENTION_NAME = {
    .query_tile = TILE_ROWS,
    .key_panel = TILE_COLUMNS,
    .packed_floats = packed_floats,
    .scratch_floats = scratch_floats,
    .pack = pack,
    .attend = attend,
};

/* Attention of one head over blocks of keys, with the softmax corrected as larger scores are found.
 *
 * For a tile of queries, and each block of ATTENTION_KEYS keys:
 *   S = q · kᵀ                       [queries, keys], scratch that stays in the first-level cache
 *   m' = max(m, row maxima of S),  P = 2^(S − m'),  l = l · 2^(m − m') + row sums of P
 *   O = O · 2^(m − m') + P · v       [queries, width]
 * and at the end O / l. q carries the factor log2(e) / √D, so that 2^x serves for e^x. Both products run on the tiles of
 * panel.h: keys are packed as panels [⌈T / n⌉][D][n], values as panels [⌈D / n⌉][T][n], n = TILE_COLUMNS.
 * Against the plain softmax: within 2e-6 of the largest |v|.
 *
 * Included by <isa>/attention.c, which defines TILE_ROWS, TILE_VECTORS and ATTENTION_KEYS. */
#include <math.h>
#include <string.h>

#include "../kernels.h"
#include "functions.h"
#include "panel.h"

_Static_assert(ATTENTION_KEYS % TILE_COLUMNS == 0, "a block of keys is whole panels");

/* Below every score that can matter, and finite, so that differences are not NaN. */
#define LOWEST (-0x1p126f)

#define LOG2_E 1.44269504088896341f

static inline int64_t panels_of(int64_t count) { return (count + TILE_COLUMNS - 1) / TILE_COLUMNS; }

static size_t packed_floats(int64_t T, int64_t width) {
  return (size_t)(panels_of(T) * width + panels_of(width) * T) * TILE_COLUMNS;
}

/* Where the packed values begin. */
static size_t values_offset(int64_t T, int64_t width) { return (size_t)(panels_of(T) * width) * TILE_COLUMNS; }

/* Scratch: queries [D, TILE_ROWS], scores [TILE_ROWS, ATTENTION_KEYS], output [TILE_ROWS, panels · TILE_COLUMNS]. */
static size_t query_floats(int64_t width) { return (size_t)((width * TILE_ROWS + 15) / 16 * 16); }

static size_t scratch_floats(int64_t T, int64_t width) {
  (void)T;
  return query_floats(width) + TILE_ROWS * ATTENTION_KEYS + (size_t)(TILE_ROWS * panels_of(width) * TILE_COLUMNS);
}

static void pack(const float *k, const float *v, int64_t stride, int64_t T, int64_t width, int64_t begin, int64_t end,
                 float *packed) {
  float *values = packed + values_offset(T, width);
  for (int64_t panel = begin; panel < end; panel++) {
    const int64_t first = panel * TILE_COLUMNS, count = T - first < TILE_COLUMNS ? T - first : TILE_COLUMNS;
    pack_columns(k + first * stride, stride, count, width, packed + first * width);
    for (int64_t t = first; t < first + count; t++)
      for (int64_t d = 0; d < width; d += LANES) {
        const int64_t here = width - d < LANES ? width - d : LANES;
        float *out = values + (d / TILE_COLUMNS * T + t) * TILE_COLUMNS + d % TILE_COLUMNS;
        lanes_store(out, lanes_load_first(v + t * stride + d, here));
      }
  }
}

/* What a tile of queries has gathered so far. */
typedef struct {
  float largest[TILE_ROWS];
  float sum[TILE_ROWS];
} softmax_state;

/* scores [TILE_ROWS, keys] of a block, and −∞ behind its last key up to a whole panel. */
static void score_block(const float *q, const float *key_panels, int64_t width, int64_t keys, float *scores) {
  for (int64_t n = 0; n < keys; n += TILE_COLUMNS) {
    tile_sums s = tile_multiply(tile_zero(), width, q, TILE_ROWS, 1, key_panels + n * width);
    tile_store(&s, scores + n, ATTENTION_KEYS);
  }
  const int64_t padded = panels_of(keys) * TILE_COLUMNS;
  for (int r = 0; r < TILE_ROWS && keys < padded; r++)
    for (int64_t n = keys; n < padded; n++) scores[r * ATTENTION_KEYS + n] = LOWEST;
}

/* Scores to weights in place; `output` and the state are brought to the new maximum. */
static void weigh_block(float *scores, int64_t keys, float *output, int64_t output_width, softmax_state *state) {
  const int64_t padded = panels_of(keys) * TILE_COLUMNS;
  for (int r = 0; r < TILE_ROWS; r++) {
    float *row = scores + r * ATTENTION_KEYS;
    lanes most = lanes_load(row);
    for (int64_t n = LANES; n < padded; n += LANES) most = lanes_max(most, lanes_load(row + n));
    const float block_most = lanes_max_of(most);
    const float before = state->largest[r], now = block_most > before ? block_most : before;
    const lanes offset = lanes_set(now);
    lanes sum = lanes_zero();
    for (int64_t n = 0; n < padded; n += LANES) {
      const lanes weight = lanes_exp2(lanes_sub(lanes_load(row + n), offset));
      lanes_store(row + n, weight);
      sum = lanes_add(sum, weight);
    }
    const float block_sum = lanes_sum_of(sum);
    if (now > before) {
      const float correction = exp2f(before - now);
      state->largest[r] = now;
      state->sum[r] *= correction;
      for (int64_t d = 0; d < output_width; d += LANES) {
        float *at = output + r * output_width + d;
        lanes_store(at, lanes_mul(lanes_load(at), lanes_set(correction)));
      }
    }
    state->sum[r] += block_sum;
  }
}

static void attend(const float *q, int64_t q_stride, int queries, const float *packed, int64_t T, int64_t width,
                   float *out, int64_t out_stride, float *scratch) {
  const int64_t output_width = panels_of(width) * TILE_COLUMNS;
  float *tile = scratch, *scores = tile + query_floats(width), *output = scores + TILE_ROWS * ATTENTION_KEYS;
  const float *values = packed + values_offset(T, width);
  const float factor = LOG2_E / sqrtf((float)width);
  for (int r = 0; r < TILE_ROWS; r++)
    for (int64_t d = 0; d < width; d++) tile[d * TILE_ROWS + r] = r < queries ? q[r * q_stride + d] * factor : 0.0f;
  memset(output, 0, (size_t)(TILE_ROWS * output_width) * sizeof(float));
  softmax_state state;
  for (int r = 0; r < TILE_ROWS; r++) state.largest[r] = LOWEST, state.sum[r] = 0;

  for (int64_t t = 0; t < T; t += ATTENTION_KEYS) {
    const int64_t keys = T - t < ATTENTION_KEYS ? T - t : ATTENTION_KEYS;
    score_block(tile, packed + t * width, width, keys, scores);
    weigh_block(scores, keys, output, output_width, &state);
    for (int64_t d = 0; d < output_width; d += TILE_COLUMNS) {
      tile_sums o = tile_load(output + d, output_width);
      o = tile_multiply(o, keys, scores, 1, ATTENTION_KEYS, values + (d * T + t * TILE_COLUMNS));
      tile_store(&o, output + d, output_width);
    }
  }

  for (int r = 0; r < queries; r++) {
    const lanes factor_out = lanes_set(1 / state.sum[r]);
    for (int64_t d = 0; d < width; d += LANES) {
      const lanes value = lanes_mul(lanes_load(output + r * output_width + d), factor_out);
      if (width - d >= LANES)
        lanes_store(out + r * out_stride + d, value);
      else
        lanes_store_first(out + r * out_stride + d, width - d, value);
    }
  }
}

attention_kernel LANES_KERNEL(attention_f32) = {
    .query_tile = TILE_ROWS,
    .key_panel = TILE_COLUMNS,
    .packed_floats = packed_floats,
    .scratch_floats = scratch_floats,
    .pack = pack,
    .attend = attend,
};

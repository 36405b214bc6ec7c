/* Attention of one query of one head with products in less than F32: q · log2(e)/√D and k rounded to BF16 (or to INT8, each
 * row with one scale), weights 2^(score − largest) and v rounded to BF16; sums F32. Otherwise as attention.c. */
#include <math.h>

#include "../format_scalar.h"
#include "../i8_group.h"
#include "../kernels.h"

enum { KEY_PANEL = 16 };

static const float log2_e = 1.44269504088896341f;

static float rounded(float x) { return f32_of_bf16(bf16_of_f32(x)); }

static void round_row_bf16(const float *in, int64_t width, float *out) {
  for (int64_t d = 0; d < width; d++) out[d] = rounded(in[d]);
}

/* The codes as F32, and behind them the scale. */
static void round_row_i8(const float *in, int64_t width, float *out) {
  float largest = 0;
  for (int64_t d = 0; d < width; d++) largest = fmaxf(largest, fabsf(in[d]));
  for (int64_t d = 0; d < width; d++) out[d] = (float)i8_code(in[d], i8_factor(largest));
  out[width] = i8_scale(largest);
}

/* Keys [T, D + 1], then values [T, D]; the last of a key is its scale, or unused. */
static size_t packed_floats(int64_t T, int64_t width) { return (size_t)(T * (2 * width + 1) + 15) / 16 * 16; }

/* Scores [T], the query [D + 1], the result [D]. */
static size_t scratch_floats(int64_t T, int64_t width) { return (size_t)(T + 2 * width + 1 + 15) / 16 * 16; }

static void pack_rows(int is_i8, const float *k, const float *v, int64_t stride, int64_t T, int64_t width, int64_t begin,
                      int64_t end, float *packed) {
  for (int64_t t = begin * KEY_PANEL; t < T && t < end * KEY_PANEL; t++) {
    (is_i8 ? round_row_i8 : round_row_bf16)(k + t * stride, width, packed + t * (width + 1));
    round_row_bf16(v + t * stride, width, packed + T * (width + 1) + t * width);
  }
}

/* `query` [D + 1] as a key; `factor` is what its products still lack. */
static void attend_row(const float *query, float factor, const float *packed, int is_i8, int64_t T, int64_t width,
                       float *out, float *scores, float *mixed) {
  const float *values = packed + T * (width + 1);
  float largest = -INFINITY, sum = 0;
  for (int64_t t = 0; t < T; t++) {
    const float *key = packed + t * (width + 1);
    float dot = 0;
    for (int64_t d = 0; d < width; d++) dot += query[d] * key[d];
    scores[t] = is_i8 ? dot * (factor * key[width]) : dot;
    largest = fmaxf(largest, scores[t]);
  }
  memset(mixed, 0, (size_t)width * sizeof(float));
  for (int64_t t = 0; t < T; t++) {
    const float weight = exp2f(scores[t] - largest);
    sum += weight;
    for (int64_t d = 0; d < width; d++) mixed[d] += rounded(weight) * values[t * width + d];
  }
  for (int64_t d = 0; d < width; d++) out[d] = mixed[d] / sum;
}

static void pack_bf16(const float *k, const float *v, int64_t stride, int64_t T, int64_t width, int64_t begin, int64_t end,
                      float *packed) {
  pack_rows(0, k, v, stride, T, width, begin, end, packed);
}

static void pack_i8(const float *k, const float *v, int64_t stride, int64_t T, int64_t width, int64_t begin, int64_t end,
                    float *packed) {
  pack_rows(1, k, v, stride, T, width, begin, end, packed);
}

static void attend_bf16(const float *q, int64_t q_stride, int queries, const float *packed, int64_t T, int64_t width,
                        float *out, int64_t out_stride, float *scratch) {
  (void)q_stride, (void)queries, (void)out_stride; /* one query a call */
  float *query = scratch + T;
  for (int64_t d = 0; d < width; d++) query[d] = q[d] * (log2_e / sqrtf((float)width));
  round_row_bf16(query, width, query);
  attend_row(query, 1, packed, 0, T, width, out, scratch, query + width + 1);
}

static void attend_i8(const float *q, int64_t q_stride, int queries, const float *packed, int64_t T, int64_t width,
                      float *out, int64_t out_stride, float *scratch) {
  (void)q_stride, (void)queries, (void)out_stride;
  float *query = scratch + T;
  round_row_i8(q, width, query);
  attend_row(query, query[width] * (log2_e / sqrtf((float)width)), packed, 1, T, width, out, scratch, query + width + 1);
}

attention_kernel attention_bf16_ref = {1, KEY_PANEL, packed_floats, scratch_floats, pack_bf16, attend_bf16};
attention_kernel attention_i8_ref = {1, KEY_PANEL, packed_floats, scratch_floats, pack_i8, attend_i8};

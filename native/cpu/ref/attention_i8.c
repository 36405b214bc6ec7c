/* Attention of one query of one head with products in INT8: the query and each key rounded with one scale; of 64 keys the
 * weights 2^(score − largest of the 64) rounded to codes 0…255, and each column of values rounded with one scale; sums of
 * codes exact. Otherwise as attention.c. */
#include <math.h>
#include <string.h>

#include "../i8_group.h"
#include "../kernels.h"

static const float log2_e = 1.44269504088896341f;

static int64_t groups_of(int64_t T) { return (T + I8_GROUP - 1) / I8_GROUP; }

/* Codes as F32 all: keys [T, D] and a scale behind each, then values [T, D], then their scales [groups, D]. */
static size_t packed_floats(int64_t T, int64_t width) {
  return (size_t)(T * (2 * width + 1) + groups_of(T) * width + 15) / 16 * 16;
}

/* Scores [T], the query [D], the result [D], and what a group adds to it [D]. */
static size_t scratch_floats(int64_t T, int64_t width) { return (size_t)(T + 3 * width + 15) / 16 * 16; }

/* Codes of `count` values `stride` apart, `out_stride` apart; answers the scale. */
static float round_all(const float *in, int64_t stride, int64_t count, float *out, int64_t out_stride) {
  float largest = 0;
  for (int64_t i = 0; i < count; i++) largest = fmaxf(largest, fabsf(in[i * stride]));
  for (int64_t i = 0; i < count; i++) out[i * out_stride] = (float)i8_code(in[i * stride], i8_factor(largest));
  return i8_scale(largest);
}

static void pack(const float *k, const float *v, int64_t stride, int64_t T, int64_t width, int64_t begin, int64_t end,
                 float *packed) {
  float *keys = packed, *values = keys + T * (width + 1), *scales = values + T * width;
  for (int64_t group = begin; group < end; group++) {
    const int64_t first = group * I8_GROUP, count = T - first < I8_GROUP ? T - first : I8_GROUP;
    for (int64_t t = first; t < first + count; t++) {
      float *key = keys + t * (width + 1);
      key[width] = round_all(k + t * stride, 1, width, key, 1);
    }
    for (int64_t d = 0; d < width; d++)
      scales[group * width + d] = round_all(v + first * stride + d, stride, count, values + first * width + d, width);
  }
}

static void attend(const float *q, int64_t q_stride, int queries, const float *packed, int64_t T, int64_t width, float *out,
                   int64_t out_stride, float *scratch) {
  (void)q_stride, (void)queries, (void)out_stride; /* one query a call */
  const float *keys = packed, *values = keys + T * (width + 1), *scales = values + T * width;
  float *scores = scratch, *query = scores + T, *mixed = query + width, *group_sums = mixed + width;
  const float factor = round_all(q, 1, width, query, 1) * (log2_e / sqrtf((float)width));
  float largest = -INFINITY, sum = 0;
  for (int64_t t = 0; t < T; t++) {
    const float *key = keys + t * (width + 1);
    float dot = 0;
    for (int64_t d = 0; d < width; d++) dot += query[d] * key[d];
    scores[t] = dot * (factor * key[width]);
    largest = fmaxf(largest, scores[t]);
  }
  memset(mixed, 0, (size_t)width * sizeof(float));
  for (int64_t first = 0; first < T; first += I8_GROUP) {
    const int64_t end = first + I8_GROUP < T ? first + I8_GROUP : T;
    float here = scores[first];
    for (int64_t t = first + 1; t < end; t++) here = fmaxf(here, scores[t]);
    const float scale = exp2f(here - largest) / 255;
    memset(group_sums, 0, (size_t)width * sizeof(float));
    for (int64_t t = first; t < end; t++) {
      const float weight = 255 * exp2f(scores[t] - here);
      sum += weight * scale;
      for (int64_t d = 0; d < width; d++) group_sums[d] += rintf(weight) * values[t * width + d];
    }
    for (int64_t d = 0; d < width; d++) mixed[d] += group_sums[d] * (scale * scales[first / I8_GROUP * width + d]);
  }
  for (int64_t d = 0; d < width; d++) out[d] = mixed[d] / sum;
}

attention_kernel attention_i8_ref = {1, I8_GROUP, packed_floats, scratch_floats, pack, attend};

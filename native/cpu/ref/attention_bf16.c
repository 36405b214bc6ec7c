/* Attention of one query of one head with products in BF16: q · log2(e)/√D, k, weights 2^(score − largest) and v rounded to
 * BF16; sums F32. Otherwise as attention.c. */
#include <math.h>

#include "../format_scalar.h"
#include "../kernels.h"

enum { KEY_PANEL = 16 };

static const float log2_e = 1.44269504088896341f;

static float rounded(float x) { return f32_of_bf16(bf16_of_f32(x)); }

/* Keys [T, D], then values [T, D]. */
static size_t packed_floats(int64_t T, int64_t width) { return (size_t)(T * 2 * width + 15) / 16 * 16; }

/* Scores [T], the query [D], the result [D]. */
static size_t scratch_floats(int64_t T, int64_t width) { return (size_t)(T + 2 * width + 15) / 16 * 16; }

static void pack(const float *k, const float *v, int64_t stride, int64_t T, int64_t width, int64_t begin, int64_t end,
                 float *packed) {
  for (int64_t t = begin * KEY_PANEL; t < T && t < end * KEY_PANEL; t++)
    for (int64_t d = 0; d < width; d++) {
      packed[t * width + d] = rounded(k[t * stride + d]);
      packed[(T + t) * width + d] = rounded(v[t * stride + d]);
    }
}

static void attend(const float *q, int64_t q_stride, int queries, const float *packed, int64_t T, int64_t width, float *out,
                   int64_t out_stride, float *scratch) {
  (void)q_stride, (void)queries, (void)out_stride; /* one query a call */
  float *scores = scratch, *query = scratch + T, *mixed = query + width;
  float largest = -INFINITY, sum = 0;
  for (int64_t d = 0; d < width; d++) query[d] = rounded(q[d] * (log2_e / sqrtf((float)width)));
  for (int64_t t = 0; t < T; t++) {
    scores[t] = 0;
    for (int64_t d = 0; d < width; d++) scores[t] += query[d] * packed[t * width + d];
    largest = fmaxf(largest, scores[t]);
  }
  memset(mixed, 0, (size_t)width * sizeof(float));
  for (int64_t t = 0; t < T; t++) {
    const float weight = exp2f(scores[t] - largest);
    sum += weight;
    for (int64_t d = 0; d < width; d++) mixed[d] += rounded(weight) * packed[(T + t) * width + d];
  }
  for (int64_t d = 0; d < width; d++) out[d] = mixed[d] / sum;
}

attention_kernel attention_bf16_ref = {1, KEY_PANEL, packed_floats, scratch_floats, pack, attend};

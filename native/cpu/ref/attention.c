/* Attention of one query of one head: out = Σ_j softmax_j(q · k_j / √D) · v_j.
 *
 * q, out [D]; k, v [T, D]. One row of T scores at a time: their largest is taken off before the exponential, so that it
 * cannot overflow, and the sum of the exponentials divides the result once instead of every weight.
 * Sums are F32 in the order of the keys. */
#include <math.h>
#include <string.h>

#include "../kernels.h"

/* Packing only makes the head's rows contiguous: keys [T, D], then values [T, D]. */
enum { KEY_PANEL = 16 };

static size_t packed_floats(int64_t T, int64_t width) { return ((size_t)(2 * T * width) + 15) / 16 * 16; }

static size_t scratch_floats(int64_t T, int64_t width) { return ((size_t)(T + width) + 15) / 16 * 16; }

static void pack(const float *k, const float *v, int64_t stride, int64_t T, int64_t width, int64_t begin, int64_t end,
                 float *packed) {
  float *keys = packed, *values = packed + T * width;
  for (int64_t t = begin * KEY_PANEL; t < T && t < end * KEY_PANEL; t++) {
    memcpy(keys + t * width, k + t * stride, (size_t)width * sizeof(float));
    memcpy(values + t * width, v + t * stride, (size_t)width * sizeof(float));
  }
}

static void attend(const float *q, int64_t q_stride, int queries, const float *packed, int64_t T, int64_t width,
                   float *out, int64_t out_stride, float *scratch) {
  (void)q_stride, (void)queries, (void)out_stride; /* one query a call */
  const float *keys = packed, *values = packed + T * width;
  float *scores = scratch, *mixed = scratch + T;
  float scale = 1 / sqrtf((float)width), largest = -INFINITY, sum = 0;
  for (int64_t t = 0; t < T; t++) {
    float dot = 0;
    for (int64_t d = 0; d < width; d++) dot += q[d] * keys[t * width + d];
    scores[t] = dot * scale;
    largest = fmaxf(largest, scores[t]);
  }
  memset(mixed, 0, (size_t)width * sizeof(float));
  for (int64_t t = 0; t < T; t++) {
    float weight = expf(scores[t] - largest);
    sum += weight;
    for (int64_t d = 0; d < width; d++) mixed[d] += weight * values[t * width + d];
  }
  for (int64_t d = 0; d < width; d++) out[d] = mixed[d] / sum;
}

attention_kernel attention_f32_ref = {
    .query_tile = 1,
    .key_panel = KEY_PANEL,
    .packed_floats = packed_floats,
    .scratch_floats = scratch_floats,
    .pack = pack,
    .attend = attend,
};

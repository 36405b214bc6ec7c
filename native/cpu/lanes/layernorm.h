/* out = (in − mean) / √(variance + ε) · weight + bias over each row: mean first, then the variance around it.
 *
 * Four strands of LANES sums each hide the latency of addition, and keep the roundings few: at most columns / 64 + 6
 * deep, so the result is within 5e-7 of the row's largest. The second and third pass read the row from the cache.
 *
 * Included by <isa>/layernorm.c after its lanes.h. */
#include <math.h>

#include "../kernels.h"

enum { STRANDS = 4 };

static inline float sum_of_strands(const lanes s[STRANDS]) {
  return lanes_sum_of(lanes_add(lanes_add(s[0], s[1]), lanes_add(s[2], s[3])));
}

static inline float sum_of(const float *x, int64_t count) {
  lanes sums[STRANDS] = {lanes_zero(), lanes_zero(), lanes_zero(), lanes_zero()};
  int64_t i = 0;
  for (; i + STRANDS * LANES <= count; i += STRANDS * LANES)
    for (int s = 0; s < STRANDS; s++) sums[s] = lanes_add(sums[s], lanes_load(x + i + s * LANES));
  float rest = 0;
  for (; i < count; i++) rest += x[i];
  return sum_of_strands(sums) + rest;
}

static inline float sum_of_squares_around(float mean, const float *x, int64_t count) {
  lanes sums[STRANDS] = {lanes_zero(), lanes_zero(), lanes_zero(), lanes_zero()};
  const lanes middle = lanes_set(mean);
  int64_t i = 0;
  for (; i + STRANDS * LANES <= count; i += STRANDS * LANES)
    for (int s = 0; s < STRANDS; s++) {
      const lanes distance = lanes_sub(lanes_load(x + i + s * LANES), middle);
      sums[s] = lanes_fma(distance, distance, sums[s]);
    }
  float rest = 0;
  for (; i < count; i++) rest += (x[i] - mean) * (x[i] - mean);
  return sum_of_strands(sums) + rest;
}

void LANES_KERNEL(layernorm_f32)(const float *in, float *out, const float *weight, const float *bias, int64_t rows,
                                 int64_t columns) {
  for (int64_t r = 0; r < rows; r++, in += columns, out += columns) {
    const float mean = sum_of(in, columns) / (float)columns;
    const float variance = sum_of_squares_around(mean, in, columns) / (float)columns;
    const float scale = 1 / sqrtf(variance + LAYERNORM_EPSILON);
    const lanes middle = lanes_set(mean), factor = lanes_set(scale);
    int64_t i = 0;
    for (; i + LANES <= columns; i += LANES) {
      const lanes normed = lanes_mul(lanes_sub(lanes_load(in + i), middle), factor);
      lanes_store(out + i, lanes_fma(normed, lanes_load(weight + i), lanes_load(bias + i)));
    }
    for (; i < columns; i++) out[i] = (in[i] - mean) * scale * weight[i] + bias[i];
  }
}

/* softmax: x[i] ← exp(scale · (x[i] − max x)); answers the sum of the results. */
#include <math.h>

#include "../decoder_kernels.h"

float softmax_f32_ref(float *x, int64_t n, float scale) {
  float max = x[0], sum = 0;
  for (int64_t i = 1; i < n; i++) max = x[i] > max ? x[i] : max;
  for (int64_t i = 0; i < n; i++) {
    x[i] = expf(scale * (x[i] - max));
    sum += x[i];
  }
  return sum;
}

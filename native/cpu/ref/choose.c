/* highest, sum_exp: what choosing a token asks of its logits. */
#include <math.h>

#include "../choose_scalar.h"
#include "../decoder_kernels.h"

int64_t highest_f32_ref(const float *values, int64_t n, int64_t most, int32_t *places) {
  int64_t count = 0;
  for (int64_t i = 0; i < n; i++) {
    const float least = count < most ? -INFINITY : values[places[most - 1]];
    if (values[i] > least) count = keep_highest(values, i, places, count, most);
  }
  return count;
}

double sum_exp_f32_ref(const float *values, int64_t n, float highest) {
  double sum = 0;
  for (int64_t i = 0; i < n; i++) {
    const float below = values[i] - highest;
    if (below <= 0) sum += expf(below); /* not NaN */
  }
  return sum;
}

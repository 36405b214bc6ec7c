/* softmax: x[i] ← exp(scale · (x[i] − max x)), i < n; answers the sum of the results, by which the caller divides what
 * it computes from them. scale > 0, n ≥ 1, x finite.
 *
 * exp is 2^(x · log2 e). The product of the largest x is rounded, so that all results are off by one common factor,
 * which the division takes out again.
 *
 * Included by <isa>/softmax.c after its lanes.h. */
#include "../decoder_kernels.h"
#include "functions.h"

float LANES_KERNEL(softmax_f32)(float *x, int64_t n, float scale) {
  const int64_t whole = n / LANES * LANES, rest = n - whole;
  lanes largest = lanes_set(x[0]);
  for (int64_t i = 0; i < whole; i += LANES) largest = lanes_max(largest, lanes_load(x + i));
  float max = lanes_max_of(largest);
  for (int64_t i = whole; i < n; i++) max = x[i] > max ? x[i] : max;
  scale *= 1.44269504f; /* log2 e */
  const lanes factor = lanes_set(scale), offset = lanes_set(-max * scale);
  lanes sum = lanes_zero();
  for (int64_t i = 0; i < whole; i += LANES) {
    const lanes value = lanes_exp2(lanes_fma(lanes_load(x + i), factor, offset));
    lanes_store(x + i, value);
    sum = lanes_add(sum, value);
  }
  if (rest == 0) return lanes_sum_of(sum);
  lanes_store_first(x + whole, rest, lanes_exp2(lanes_fma(lanes_load_first(x + whole, rest), factor, offset)));
  return lanes_sum_of(lanes_add(sum, lanes_load_first(x + whole, rest)));
}

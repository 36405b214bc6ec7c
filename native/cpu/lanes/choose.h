/* highest: places of the `most` highest of n values, in falling order, of equals the first first; NaN and −∞ are passed
 * over. sum_exp: Σ exp(values[i] − highest) over those, within 1e-6 of it; highest ≥ each of them.
 *
 * Nearly every value is below the least that is kept, so four vectors are compared with that, and looked at one by one
 * where one of theirs is above it: of n values in no order about most · (1 + log(n / most)) are.
 *
 * exp is 2^(x · log2 e). Here nothing divides by the sum, so the difference is taken before the factor: it is exact near
 * the highest, where the weight lies. Sums of blocks are F32, of all F64: in F32 51,865 of them would lose two digits.
 *
 * Included by <isa>/choose.c after its lanes.h. Of 51,865 in the second-level cache, on a Zen 5: 1.3 and
 * 3.9 µs in AVX-512, 2 and 10 in AVX2. */
#include <math.h>
#include <string.h>

#include "../choose_scalar.h"
#include "../decoder_kernels.h"
#include "functions.h"

enum {
  TAKEN = 4 * LANES,     /* values looked at together; as many vectors of sums hide an addition's latency */
  BLOCK = 16 * TAKEN     /* of a sum in F32: 16 additions one after the other, rounding 1e-6 at worst */
};

int64_t LANES_KERNEL(highest_f32)(const float *values, int64_t n, int64_t most, int32_t *places) {
  int64_t count = 0, i = 0;
  float least = -INFINITY;
  while (i < n) {
    /* Not the largest of the four: what a maximum with NaN is depends on their order. */
    while (i + TAKEN <= n && !(lanes_any_above(lanes_load(values + i), least) |
                               lanes_any_above(lanes_load(values + i + LANES), least) |
                               lanes_any_above(lanes_load(values + i + 2 * LANES), least) |
                               lanes_any_above(lanes_load(values + i + 3 * LANES), least)))
      i += TAKEN;
    const int64_t end = n - i < TAKEN ? n : i + TAKEN;
    for (; i < end; i++) {
      if (!(values[i] > least)) continue;
      count = keep_highest(values, i, places, count, most);
      if (count == most) least = values[places[most - 1]];
    }
  }
  return count;
}

/* −∞ and NaN become 0. */
static inline lanes exp_below(const float *values, lanes highest) {
  return lanes_exp2(lanes_mul(lanes_sub(lanes_load(values), highest), lanes_set(1.44269504f /* log2 e */)));
}

double LANES_KERNEL(sum_exp_f32)(const float *values, int64_t n, float highest) {
  const lanes most = lanes_set(highest);
  double sum = 0;
  int64_t i = 0;
  while (i + TAKEN <= n) {
    const int64_t end = n - i < BLOCK ? n : i + BLOCK;
    lanes a = lanes_zero(), b = a, c = a, d = a;
    for (; i + TAKEN <= end; i += TAKEN) {
      a = lanes_add(a, exp_below(values + i, most));
      b = lanes_add(b, exp_below(values + i + LANES, most));
      c = lanes_add(c, exp_below(values + i + 2 * LANES, most));
      d = lanes_add(d, exp_below(values + i + 3 * LANES, most));
    }
    sum += lanes_sum_of(lanes_add(lanes_add(a, b), lanes_add(c, d)));
  }
  for (; i < n; i += LANES) {
    float last[LANES];
    for (int j = 0; j < LANES; j++) last[j] = i + j < n ? values[i + j] : -INFINITY;
    sum += lanes_sum_of(exp_below(last, most));
  }
  return sum;
}

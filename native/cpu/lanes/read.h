/* What a benchmark divides by: a sum that reads memory.
 *
 * Included by <isa>/read.c after its lanes.h. */
#include "../kernels.h"

enum { READS = 8 };

float LANES_KERNEL(read_f32)(const float *values, int64_t count) {
  lanes sums[READS];
  for (int i = 0; i < READS; i++) sums[i] = lanes_zero();
  for (int64_t i = 0; i + READS * LANES <= count; i += READS * LANES) {
    __builtin_prefetch(values + i + 1024);
#pragma GCC unroll 8
    for (int j = 0; j < READS; j++) sums[j] = lanes_add(sums[j], lanes_load(values + i + j * LANES));
  }
  float sum = 0;
  for (int i = 0; i < READS; i++) sum += lanes_sum_of(sums[i]);
  return sum;
}

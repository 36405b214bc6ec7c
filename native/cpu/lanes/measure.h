/* What a benchmark divides by: multiply-adds between registers, and a sum that reads memory.
 *
 * Included by <isa>/measure.c after its lanes.h. */
#include "../kernels.h"

/* Two multipliers with a latency of four cycles want eight chains; twelve fit every register file. */
enum { CHAINS = 12, READS = 8 };

double LANES_KERNEL(fma_peak_f32)(int64_t rounds, float *sink) {
  lanes sums[CHAINS];
  for (int i = 0; i < CHAINS; i++) sums[i] = lanes_set((float)i);
  lanes factor = lanes_set(0.999f), term = lanes_set(0.001f);
  for (int64_t round = 0; round < rounds; round++) {
#pragma GCC unroll 12
    for (int i = 0; i < CHAINS; i++) sums[i] = lanes_fma(sums[i], factor, term);
  }
  for (int i = 0; i < CHAINS; i++) *sink += lanes_sum_of(sums[i]);
  return 2.0 * CHAINS * LANES * (double)rounds;
}

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

/* What a benchmark divides by: PEAK_DOT on registers alone; PEAK_VALUES products of K to each element of 32 bits.
 *
 * Included by <isa>/measure.c and its like after their lanes.h, which define PEAK_NAME, PEAK_DOT and PEAK_VALUES. */
#include "../kernels.h"

/* Two multipliers with a latency of four to seven cycles want that many pairs of chains; and the file of registers holds
 * no more than these beside two operands. */
enum { PEAK_CHAINS = LANES == 8 ? 12 : 24 };

double PEAK_NAME(int64_t rounds, float *sink) {
  lanes sums[PEAK_CHAINS];
  for (int i = 0; i < PEAK_CHAINS; i++) sums[i] = lanes_set((float)i);
  lanes factor = lanes_set(0.999f), term = lanes_set(0.001f);
  for (int64_t round = 0; round < rounds; round++) {
#pragma GCC unroll 24
    for (int i = 0; i < PEAK_CHAINS; i++) sums[i] = PEAK_DOT(factor, term, sums[i]);
    LANES_KEEP(factor);
  }
  for (int i = 0; i < PEAK_CHAINS; i++) *sink += PEAK_SUM(sums[i]);
  return 2.0 * PEAK_VALUES * PEAK_CHAINS * LANES * (double)rounds;
}

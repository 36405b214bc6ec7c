/* What a benchmark divides by: multiply-adds between registers, and a sum that reads memory. */
#include "../kernels.h"

enum { CHAINS = 32 };

double peak_f32_ref(int64_t rounds, float *sink) {
  /* As many independent sums as hide the latency of an addition. */
  float sums[CHAINS];
  for (int i = 0; i < CHAINS; i++) sums[i] = (float)i;
  for (int64_t round = 0; round < rounds; round++)
    for (int i = 0; i < CHAINS; i++) sums[i] = sums[i] * 0.999f + 0.001f;
  for (int i = 0; i < CHAINS; i++) *sink += sums[i];
  return 2.0 * CHAINS * (double)rounds;
}

/* There is no instruction for these: a multiply-add of the types that hold them. */
double peak_bf16_ref(int64_t rounds, float *sink) { return peak_f32_ref(rounds, sink); }

double peak_f16_ref(int64_t rounds, float *sink) { return peak_f32_ref(rounds, sink); }

double peak_i8_ref(int64_t rounds, float *sink) {
  int32_t sums[CHAINS];
  for (int i = 0; i < CHAINS; i++) sums[i] = i;
  for (int64_t round = 0; round < rounds; round++)
    for (int i = 0; i < CHAINS; i++) sums[i] = (int32_t)((uint32_t)sums[i] * 3u + 1u);
  for (int i = 0; i < CHAINS; i++) *sink += (float)sums[i];
  return 2.0 * CHAINS * (double)rounds;
}

float read_f32_ref(const float *values, int64_t count) {
  float sums[CHAINS] = {0};
  for (int64_t i = 0; i + CHAINS <= count; i += CHAINS)
    for (int j = 0; j < CHAINS; j++) sums[j] += values[i + j];
  float sum = 0;
  for (int j = 0; j < CHAINS; j++) sum += sums[j];
  return sum;
}

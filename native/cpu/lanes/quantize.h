/* quantize: whole numbers q with values ≈ scale · q, the largest at ±32767; answers the scale.
 *
 * Included by <isa>/quantize.c after its lanes.h. */
#include "../decoder_kernels.h"

float LANES_KERNEL(quantize_f32i16)(const float *values, int64_t count, int16_t *out) {
  lanes most = lanes_zero();
  for (int64_t i = 0; i < count; i += LANES)
    most = lanes_max(lanes_abs(lanes_load_first(values + i, count - i < LANES ? count - i : LANES)), most);
  const float largest = lanes_max_of(most);
  const lanes factor = lanes_set(largest > 0 ? 32767 / largest : 0);
  for (int64_t i = 0; i < count; i += LANES) {
    const int64_t n = count - i < LANES ? count - i : LANES;
    lanes_store_i16_first(out + i, n, lanes_mul(lanes_load_first(values + i, n), factor));
  }
  return largest / 32767;
}

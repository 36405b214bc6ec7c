/* quantize: whole numbers q with values ≈ scale · q, the largest at ±32767. */
#include <math.h>

#include "../decoder_kernels.h"

float quantize_f32i16_ref(const float *values, int64_t count, int16_t *out) {
  float largest = 0;
  for (int64_t i = 0; i < count; i++) largest = fabsf(values[i]) > largest ? fabsf(values[i]) : largest;
  const float scale = largest / 32767, factor = largest > 0 ? 32767 / largest : 0;
  for (int64_t i = 0; i < count; i++) {
    const float q = rintf(values[i] * factor);
    out[i] = q >= 32767 ? 32767 : q >= -32768 ? (int16_t)q : -32768;
  }
  return scale;
}

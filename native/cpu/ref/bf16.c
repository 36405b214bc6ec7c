/* BF16: the upper half of an F32, rounded to nearest even. */
#include "../format_scalar.h"

void narrow_f32bf16_ref(const float *values, int64_t count, uint16_t *codes) {
  for (int64_t i = 0; i < count; i++) codes[i] = bf16_of_f32(values[i]);
}

void widen_bf16f32_ref(const uint16_t *codes, int64_t count, float *values) {
  for (int64_t i = 0; i < count; i++) values[i] = f32_of_bf16(codes[i]);
}

/* narrow: F32 to F16, to nearest even, clamped to ±65504. NaN stays NaN.
 *
 * Included by <isa>/narrow.c after its lanes.h. */
#include "../decoder_kernels.h"

#include <string.h>

void LANES_KERNEL(narrow_f32f16)(const float *values, int64_t count, void *out) {
  const lanes limit = lanes_set(65504.0f), negative = lanes_set(-65504.0f);
  for (int64_t i = 0; i < count; i += LANES) {
    const int64_t n = count - i < LANES ? count - i : LANES;
    /* The limit first: minimum and maximum answer their second operand where one is NaN. */
    const lanes clamped = lanes_max(negative, lanes_min(limit, lanes_load_first(values + i, n)));
    char halves[2 * LANES];
    lanes_store_f16(halves, clamped);
    memcpy((char *)out + i * 2, halves, (size_t)n * 2);
  }
}

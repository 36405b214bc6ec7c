/* The exact GELU: x · Φ(x) = x/2 · (1 + erf(x/√2)), in place; Φ is the normal distribution.
 *
 * Written with erfc, which keeps its digits where Φ is small (x far below 0). */
#include <math.h>

#include "../kernels.h"

void gelu_f32_ref(float *values, int64_t count) {
  for (int64_t i = 0; i < count; i++) values[i] = 0.5f * values[i] * erfcf(-0.70710678f * values[i]);
}

/* values[i] = x/2 · (1 + erf(x/√2)), in place; functions.h has the approximation and its error.
 *
 * Included by <isa>/gelu.c after its lanes.h. */
#include "functions.h"

#include "../kernels.h"

void LANES_KERNEL(gelu_f32)(float *values, int64_t count) {
  int64_t i = 0;
  for (; i + LANES <= count; i += LANES) lanes_store(values + i, lanes_gelu(lanes_load(values + i)));
  if (i < count) lanes_store_first(values + i, count - i, lanes_gelu(lanes_load_first(values + i, count - i)));
}

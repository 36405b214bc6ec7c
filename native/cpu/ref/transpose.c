/* out[c, r] = in[r, c]. Exact. */
#include "../kernels.h"

void transpose_f32_ref(const float *in, int64_t in_stride, float *out, int64_t out_stride, int64_t rows,
                       int64_t columns) {
  for (int64_t r = 0; r < rows; r++)
    for (int64_t c = 0; c < columns; c++) out[c * out_stride + r] = in[r * in_stride + c];
}

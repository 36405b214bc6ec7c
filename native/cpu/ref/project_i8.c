/* project_i8: out[r, n] = x_scales[r] · Σgroups scale[n, group] · Σk x[r, k] · code[n, k], as it is written. */
#include "../decoder_kernels.h"
#include "../rows_i8.h"
#include "../unaligned.h"

void project_i16i8f32_ref(const int16_t *x, int64_t x_stride, const float *x_scales, int64_t rows, const void *w,
                          int64_t N, int64_t K, float *out, int64_t out_stride) {
  const int8_t *const matrix = w;
  for (int64_t n = 0; n < N; n++)
    for (int64_t r = 0; r < rows; r++) {
      float sum = 0;
      for (int64_t group = 0; group < i8_groups(K); group++) {
        int32_t whole = 0; /* at most 64 · 2^15 · 2^7 = 2^28 */
        for (int64_t k = group * I8_GROUP; k < (group + 1) * I8_GROUP; k++)
          whole += x[r * x_stride + k] * matrix[i8_code_at(n, k, K)];
        sum += (float)whole * f32_at(matrix + i8_scale_at(n, group, K), 0);
      }
      out[r * out_stride + n] = sum * x_scales[r];
    }
}

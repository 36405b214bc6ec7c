/* project: out[r, n] = Σk x[r, k] · w[n, k], as it is written. */
#include "../dtype.h"
#include "../decoder_kernels.h"
#include "../unaligned.h"

void project_f32f32f32_ref(const float *x, int64_t x_stride, int64_t rows, const void *w, int64_t N, int64_t K,
                           float *out, int64_t out_stride) {
  for (int64_t n = 0; n < N; n++)
    for (int64_t r = 0; r < rows; r++) {
      float sum = 0;
      for (int64_t k = 0; k < K; k++) sum += x[r * x_stride + k] * f32_at(w, n * K + k);
      out[r * out_stride + n] = sum;
    }
}

void project_f32f16f32_ref(const float *x, int64_t x_stride, int64_t rows, const void *w, int64_t N, int64_t K,
                           float *out, int64_t out_stride) {
  for (int64_t n = 0; n < N; n++) {
    for (int64_t r = 0; r < rows; r++) out[r * out_stride + n] = 0;
    for (int64_t k = 0; k < K; k++) {
      const float weight = f16_to_f32(u16_at(w, n * K + k));
      for (int64_t r = 0; r < rows; r++) out[r * out_stride + n] += x[r * x_stride + k] * weight;
    }
  }
}

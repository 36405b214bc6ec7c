/* combine: out[r, n] = Σk a[r, k] · b[k, n], row after row of b. */
#include "../decoder_kernels.h"
#include "../unaligned.h"

void combine_f32f32f32_ref(const float *a, int64_t a_stride, int64_t rows, const void *b, int64_t b_stride, int64_t N,
                           int64_t K, float *out, int64_t out_stride) {
  for (int64_t r = 0; r < rows; r++) {
    for (int64_t n = 0; n < N; n++) out[r * out_stride + n] = 0;
    for (int64_t k = 0; k < K; k++)
      for (int64_t n = 0; n < N; n++) out[r * out_stride + n] += a[r * a_stride + k] * f32_at(b, k * b_stride + n);
  }
}

void combine_f32i16f32_ref(const float *a, int64_t a_stride, int64_t rows, const void *b, int64_t b_stride, int64_t N,
                           int64_t K, float *out, int64_t out_stride) {
  for (int64_t r = 0; r < rows; r++) {
    for (int64_t n = 0; n < N; n++) out[r * out_stride + n] = 0;
    for (int64_t k = 0; k < K; k++)
      for (int64_t n = 0; n < N; n++)
        out[r * out_stride + n] += a[r * a_stride + k] * (float)(int16_t)u16_at(b, k * b_stride + n);
  }
}

void combine_f32i8f32_ref(const float *a, int64_t a_stride, int64_t rows, const void *b, int64_t b_stride, int64_t N,
                          int64_t K, float *out, int64_t out_stride) {
  for (int64_t r = 0; r < rows; r++) {
    for (int64_t n = 0; n < N; n++) out[r * out_stride + n] = 0;
    for (int64_t k = 0; k < K; k++)
      for (int64_t n = 0; n < N; n++)
        out[r * out_stride + n] += a[r * a_stride + k] * (float)((const int8_t *)b)[k * b_stride + n];
  }
}

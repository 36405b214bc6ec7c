/* Layer normalization: out = (in − mean) / √(variance + ε) · weight + bias, over the columns of each row.
 *
 * in, out [rows, columns]; weight, bias [columns]. Two passes, because E[x²] − E[x]² cancels where the mean is large.
 * Sums are kept in double: this is what the variants are held against, within 5e-7 of the largest result. */
#include <math.h>

#include "../kernels.h"

void layernorm_f32_ref(const float *in, float *out, const float *weight, const float *bias, int64_t rows,
                       int64_t columns) {
  for (int64_t r = 0; r < rows; r++, in += columns, out += columns) {
    double sum = 0, squares = 0;
    for (int64_t c = 0; c < columns; c++) sum += in[c];
    double mean = sum / (double)columns;
    for (int64_t c = 0; c < columns; c++) squares += (in[c] - mean) * (in[c] - mean);
    double scale = 1 / sqrt(squares / (double)columns + LAYERNORM_EPSILON);
    for (int64_t c = 0; c < columns; c++) out[c] = (float)((in[c] - mean) * scale) * weight[c] + bias[c];
  }
}

/* INT8: value = (code − zero) · scale. */
#include "../format_scalar.h"

void range_f32_ref(const float *values, int64_t count, float *low, float *high) {
  for (int64_t i = 0; i < count; i++) widen_range(values[i], low, high);
}

void range_columns_f32_ref(const float *values, int64_t stride, int64_t rows, int64_t columns, float *low, float *high) {
  for (int64_t r = 0; r < rows; r++)
    for (int64_t c = 0; c < columns; c++) widen_range(values[r * stride + c], &low[c], &high[c]);
}

void range_runs_f32_ref(const float *values, int64_t length, int64_t runs, float *low, float *high) {
  for (int64_t r = 0; r < runs; r++) {
    low[r] = high[r] = 0;
    range_f32_ref(values + r * length, length, &low[r], &high[r]);
  }
}

void quantize_f32i8_ref(const float *values, int64_t count, const i8_step *step, int8_t *codes) {
  for (int64_t i = 0; i < count; i++) codes[i] = i8_of_f32(values[i], *step);
}

void quantize_columns_f32i8_ref(const float *values, int64_t count, const float *reciprocals, const int32_t *zeros,
                                int8_t *codes) {
  for (int64_t i = 0; i < count; i++)
    codes[i] = i8_of_f32(values[i], (i8_step){reciprocals[i], zeros ? zeros[i] : 0, zeros ? -128 : -127});
}

void dequantize_i8f32_ref(const int8_t *codes, int64_t count, float scale, int32_t zero, float *values) {
  for (int64_t i = 0; i < count; i++) values[i] = f32_of_i8(codes[i], scale, zero);
}

void dequantize_columns_i8f32_ref(const int8_t *codes, int64_t count, const float *scales, const int32_t *zeros,
                                  float *values) {
  for (int64_t i = 0; i < count; i++) values[i] = f32_of_i8(codes[i], scales[i], zeros ? zeros[i] : 0);
}

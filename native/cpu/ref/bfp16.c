/* BFP16: eight values of a row share an exponent. */
#include "../format_scalar.h"

void encode_f32bfp16_ref(const float *values, int64_t row_stride, int64_t column_stride, int64_t rows, int64_t columns,
                         int is_nearest, uint8_t *blocks, int64_t row_step, int64_t block_step) {
  for (int64_t r = 0; r < rows; r++)
    for (int64_t c = 0; c < columns; c += BFP16_BLOCK)
      bfp16_encode_block(values + r * row_stride + c * column_stride, column_stride,
                         columns - c < BFP16_BLOCK ? columns - c : BFP16_BLOCK, is_nearest,
                         blocks + r * row_step + c / BFP16_BLOCK * block_step);
}

void decode_bfp16f32_ref(const uint8_t *blocks, int64_t row_step, int64_t block_step, int64_t rows, int64_t columns,
                         float *values, int64_t stride) {
  for (int64_t r = 0; r < rows; r++)
    for (int64_t c = 0; c < columns; c += BFP16_BLOCK)
      bfp16_decode_block(blocks + r * row_step + c / BFP16_BLOCK * block_step,
                         columns - c < BFP16_BLOCK ? columns - c : BFP16_BLOCK, values + r * stride + c);
}

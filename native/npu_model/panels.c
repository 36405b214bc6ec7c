#include "panels.h"

#include "numbers.h"

/* Bytes from a bfp16 tile's start to block `block` (8 columns) of row `row`: subtiles of 8 rows, left to right, then down. */
static int64_t bfp16_block(int row, int block, int columns) {
  return ((int64_t)(row / 8) * (columns / 8) + block) * BFP16_TILE_BYTES + row % 8 * BFP16_BYTES;
}

static void widen_bfp16(const uint8_t *tile, int rows, int columns, float *to, int64_t row_stride,
                        int64_t column_stride) {
  for (int row = 0; row < rows; row++)
    for (int block = 0; block < columns / 8; block++) {
      float values[BFP16_VALUES];
      bfp16_decode(tile + bfp16_block(row, block, columns), values);
      for (int i = 0; i < 8; i++) to[row * row_stride + (8 * block + i) * column_stride] = values[i];
    }
}

#define EACH(EXPRESSION)                                     \
  for (int row = 0; row < rows; row++)                       \
    for (int column = 0; column < columns; column++) {       \
      const int64_t index = (int64_t)row * columns + column; \
      EXPRESSION;                                            \
    }

void widen_tile(npu_type type, const uint8_t *tile, int rows, int columns, void *to, int64_t row_stride,
                int64_t column_stride) {
  float *floats = to;
  int32_t *integers = to;
  const uint16_t *halves = (const uint16_t *)tile;
  switch (type) {
  case TYPE_I8: EACH(integers[row * row_stride + column * column_stride] = (int8_t)tile[index]) return;
  case TYPE_I16: EACH(integers[row * row_stride + column * column_stride] = (int16_t)halves[index]) return;
  case TYPE_BF16: EACH(floats[row * row_stride + column * column_stride] = bf16_decode(halves[index])) return;
  default: widen_bfp16(tile, rows, columns, floats, row_stride, column_stride);
  }
}

void narrow_tile(npu_type type, const void *from, int64_t row_stride, int rows, int columns, uint8_t *tile) {
  const float *floats = from;
  const uint32_t *integers = from;
  uint16_t *halves = (uint16_t *)tile;
  uint32_t *words = (uint32_t *)tile;
  switch (type) {
  case TYPE_I8: EACH(tile[index] = (uint8_t)integers[row * row_stride + column]) return;
  case TYPE_I16: EACH(halves[index] = (uint16_t)integers[row * row_stride + column]) return;
  case TYPE_I32: EACH(words[index] = integers[row * row_stride + column]) return;
  case TYPE_BF16: EACH(halves[index] = bf16_encode(floats[row * row_stride + column])) return;
  case TYPE_F32: EACH(words[index] = bits_of(canonical(floats[row * row_stride + column]))) return;
  case TYPE_BFP16: break;
  }
  for (int row = 0; row < rows; row++)
    for (int block = 0; block < columns / 8; block++)
      bfp16_encode(floats + row * row_stride + 8 * block, tile + bfp16_block(row, block, columns));
}

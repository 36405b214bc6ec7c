/* Operands of products, widened: tiles as they come over the stream, to F32 or I32. */
#ifndef SOTTO_NPU_PANELS_H
#define SOTTO_NPU_PANELS_H

#include "overlay.h"

/* Element (row, column) of a widened tile goes to to[row · row_stride + column · column_stride]. Integers are written as
 * int32, the others as float. `tile` is row-major [rows, columns], for bfp16 in subtiles of 8 rows. */
void widen_tile(npu_type type, const uint8_t *tile, int rows, int columns, void *to, int64_t row_stride,
                int64_t column_stride);

/* The other way: [rows, columns] with rows `row_stride` numbers apart, to a tile. */
void narrow_tile(npu_type type, const void *from, int64_t row_stride, int rows, int columns, uint8_t *tile);

#endif

/* The kernels of number formats: what each slot of the table computes. kernels.h has the rules all kernels follow;
 * here all variants give the same bits, those of format_scalar.h and of tensor/ in TypeScript. NaN and infinities are
 * welcome. */
#ifndef SOTTO_FORMAT_KERNELS_H
#define SOTTO_FORMAT_KERNELS_H

#include <stdint.h>

#define BFP16_BLOCK 8       /* values of a block, along a row */
#define BFP16_BLOCK_BYTES 9 /* exponent, mantissas */
#define BFP16_SUBTILE_ROWS 8

/* F32 to BF16, to nearest even; NaN stays quiet NaN. And back, exactly. */
typedef void narrow_bf16_kernel(const float *values, int64_t count, uint16_t *codes);
typedef void widen_bf16_kernel(const uint16_t *codes, int64_t count, float *values);

/* Value (r, c), at values + r · row_stride + c · column_stride (one of which is 1), goes into block c / 8 of row r, at
 * blocks + r · row_step + c / 8 · block_step bytes. A last block is filled up with zeros. */
typedef void encode_bfp16_kernel(const float *values, int64_t row_stride, int64_t column_stride, int64_t rows,
                                 int64_t columns, int is_nearest, uint8_t *blocks, int64_t row_step,
                                 int64_t block_step);

/* The same way back, into rows `stride` floats apart. */
typedef void decode_bfp16_kernel(const uint8_t *blocks, int64_t row_step, int64_t block_step, int64_t rows,
                                 int64_t columns, float *values, int64_t stride);

/* Widens [*low, *high] to hold all finite values; low ≤ 0 ≤ high. Of each column, `low` and `high` have one each. */
typedef void range_kernel(const float *values, int64_t count, float *low, float *high);
typedef void range_columns_kernel(const float *values, int64_t stride, int64_t rows, int64_t columns, float *low,
                                  float *high);

/* The range of each of `runs` runs of `length` values that follow one another: low ≤ 0 ≤ high. */
typedef void range_runs_kernel(const float *values, int64_t length, int64_t runs, float *low, float *high);

/* How values become codes: round(value · reciprocal) + zero, kept in bottom … 127. */
typedef struct {
  float reciprocal;
  int32_t zero;
  int32_t bottom; /* −127 or −128 */
} i8_step;

typedef void quantize_i8_kernel(const float *values, int64_t count, const i8_step *step, int8_t *codes);
/* value = (code − zero) · scale */
typedef void dequantize_i8_kernel(const int8_t *codes, int64_t count, float scale, int32_t zero, float *values);

/* The same with a step for each value. `zeros` may be NULL: all are 0, and codes are −127 … 127. */
typedef void quantize_columns_i8_kernel(const float *values, int64_t count, const float *reciprocals,
                                        const int32_t *zeros, int8_t *codes);
typedef void dequantize_columns_i8_kernel(const int8_t *codes, int64_t count, const float *scales,
                                          const int32_t *zeros, float *values);

#endif

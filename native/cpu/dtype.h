/* Number formats of stored weights, and their conversion to F32. */
#ifndef SOTTO_DTYPE_H
#define SOTTO_DTYPE_H

#include <stddef.h>
#include <stdint.h>

/* How elements lie in a file: `elements` of them in a block of `bytes`. */
typedef struct {
  const char *name;
  int32_t elements;
  int32_t bytes;
} dtype_block;

/* The block of an enum sotto_dtype; NULL for any other number. */
const dtype_block *dtype_describe(int64_t dtype);

/* Converts `count` elements (a multiple of the block) to F32. The bytes may be unaligned. */
void dtype_to_f32(int32_t dtype, const uint8_t *bytes, int64_t count, float *out);

float f16_to_f32(uint16_t half);

#endif

/* Tests the conversions between number formats through the library's interface: every pointer, size and layout that is
 * wrong is refused with a text, and nothing is written. Prints a line a test; ends with 1 if one fails. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "../include/sotto_cpu.h"

enum { ROWS = 16, COLUMNS = 128, COUNT = ROWS * COLUMNS, BYTES = COUNT / 8 * 9 };

static int failures;
static char text[512];
#define TEXT text, sizeof text

static float values[COUNT], scales[COUNT];
static uint16_t bf16[COUNT];
static uint8_t blocks[BYTES];
static int8_t codes[COUNT];
static int32_t zeros[COUNT];
static const int32_t whole[SOTTO_BFP16_LAYOUT_WORDS] = {1, ROWS, COLUMNS, ROWS, COLUMNS};

static void expect(int32_t status, int32_t wanted, const char *what) {
  const int is_right = status == wanted && (status == SOTTO_OK || text[0] != 0);
  printf("%s %s: status %d%s%s\n", is_right ? "ok  " : "FAIL", what, status, status ? ", " : "", status ? text : "");
  failures += !is_right;
  text[0] = 0;
}

static void test_bf16(uint64_t context) {
  expect(sotto_cpu_convert_f32_to_bf16(context, values, COUNT, bf16, COUNT, TEXT), SOTTO_OK, "bf16");
  expect(sotto_cpu_convert_f32_to_bf16(context, NULL, 0, NULL, 0, TEXT), SOTTO_OK, "bf16 of nothing");
  expect(sotto_cpu_convert_f32_to_bf16(context, NULL, COUNT, bf16, COUNT, TEXT), SOTTO_INVALID_ARGUMENT, "no values");
  expect(sotto_cpu_convert_f32_to_bf16(context, values, COUNT, NULL, COUNT, TEXT), SOTTO_INVALID_ARGUMENT, "no codes");
  expect(sotto_cpu_convert_f32_to_bf16(context, values, COUNT, bf16, COUNT - 1, TEXT), SOTTO_INVALID_ARGUMENT,
         "too few codes");
  expect(sotto_cpu_convert_bf16_to_f32(context, bf16, COUNT, values, COUNT + 1, TEXT), SOTTO_INVALID_ARGUMENT,
         "too many values");
  expect(sotto_cpu_convert_bf16_to_f32(context, NULL, COUNT, values, COUNT, TEXT), SOTTO_INVALID_ARGUMENT, "no codes");
  expect(sotto_cpu_convert_f32_to_bf16(context + 1, values, COUNT, bf16, COUNT, TEXT), SOTTO_INVALID_HANDLE,
         "bf16 without a context");
  snprintf(text, sizeof text, "none, as it has no room");
  expect(sotto_cpu_convert_f32_to_bf16(context, values, COUNT, bf16, 0, NULL, 0), SOTTO_INVALID_ARGUMENT,
         "no room for the text");
}

static int32_t pack(uint64_t context, int32_t rows, int32_t columns, const int32_t *layout, size_t blocks_length) {
  return sotto_cpu_convert_f32_to_bfp16(context, values, COUNT, rows, columns, 0, 1, layout, SOTTO_BFP16_LAYOUT_WORDS,
                                        blocks, blocks_length, TEXT);
}

static void test_bfp16(uint64_t context) {
  expect(pack(context, ROWS, COLUMNS, whole, BYTES), SOTTO_OK, "bfp16");
  expect(pack(context, ROWS, COLUMNS, whole, BYTES - 1), SOTTO_INVALID_ARGUMENT, "blocks too small");
  expect(pack(context, ROWS, COLUMNS + 1, whole, BYTES), SOTTO_INVALID_ARGUMENT, "columns beyond those stored");
  expect(pack(context, 0, COLUMNS, whole, BYTES), SOTTO_INVALID_ARGUMENT, "no rows");
  expect(pack(context, -ROWS, -COLUMNS, whole, BYTES), SOTTO_INVALID_ARGUMENT, "negative sizes");
  expect(pack(context, ROWS, COLUMNS, NULL, BYTES), SOTTO_INVALID_ARGUMENT, "no layout");
  static const int32_t wrong[][SOTTO_BFP16_LAYOUT_WORDS] = {
      {2, ROWS, COLUMNS, ROWS, COLUMNS},     {1, ROWS + 1, COLUMNS, ROWS, COLUMNS}, {1, ROWS, COLUMNS + 4, ROWS, COLUMNS},
      {1, ROWS, COLUMNS, 0, COLUMNS},        {1, ROWS, COLUMNS, ROWS, 0},           {1, ROWS, COLUMNS, ROWS, 8},
      {1, ROWS, COLUMNS, -ROWS, COLUMNS},    {1, ROWS, COLUMNS, ROWS, -COLUMNS},    {1, ROWS, COLUMNS, 24, 64},
      {1, INT32_MAX, INT32_MAX, 8, 8},       {1, INT32_MAX - 7, INT32_MAX - 7, 8, 64}, {0, ROWS, COLUMNS, 3, COLUMNS},
  };
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
    expect(pack(context, ROWS, COLUMNS, wrong[i], BYTES), SOTTO_INVALID_ARGUMENT, "a wrong layout");
  expect(sotto_cpu_convert_bfp16_to_f32(context, blocks, BYTES, ROWS, COLUMNS, whole, SOTTO_BFP16_LAYOUT_WORDS, NULL,
                                        COUNT, TEXT),
         SOTTO_INVALID_ARGUMENT, "nowhere to decode to");
  expect(sotto_cpu_convert_bfp16_to_f32(context, NULL, BYTES, ROWS, COLUMNS, whole, SOTTO_BFP16_LAYOUT_WORDS, values,
                                        COUNT, TEXT),
         SOTTO_INVALID_ARGUMENT, "nothing to decode");
  expect(sotto_cpu_convert_bfp16_to_f32(context, blocks, BYTES, ROWS, COLUMNS, whole, 4, values, COUNT, TEXT),
         SOTTO_INVALID_ARGUMENT, "a layout too short");
  expect(sotto_cpu_convert_bfp16_to_f32(context, blocks, BYTES, ROWS, COLUMNS, whole, SOTTO_BFP16_LAYOUT_WORDS, values,
                                        COUNT, TEXT),
         SOTTO_OK, "bfp16 back");
}

static int32_t quantize(uint64_t context, int32_t block_rows, int32_t block_columns, int32_t scheme, size_t scale_count,
                        size_t zero_count) {
  return sotto_cpu_convert_f32_to_i8(context, values, COUNT, ROWS, COLUMNS, block_rows, block_columns, scheme, scales,
                                     scale_count, zero_count ? zeros : NULL, zero_count, codes, COUNT, TEXT);
}

static void test_i8(uint64_t context) {
  expect(quantize(context, ROWS, COLUMNS, SOTTO_I8_SYMMETRIC, 1, 0), SOTTO_OK, "int8 by tensor");
  expect(quantize(context, 1, 32, SOTTO_I8_ASYMMETRIC, COUNT / 32, COUNT / 32), SOTTO_OK, "int8 by groups");
  expect(quantize(context, ROWS, 1, SOTTO_I8_ASYMMETRIC, COLUMNS, COLUMNS), SOTTO_OK, "int8 by column");
  expect(quantize(context, ROWS, 1, SOTTO_I8_GIVEN, COLUMNS, 0), SOTTO_OK, "int8 with given scales");
  expect(quantize(context, 1, 48, SOTTO_I8_SYMMETRIC, COUNT / 48, 0), SOTTO_INVALID_ARGUMENT, "groups that do not divide");
  expect(quantize(context, 1, 0, SOTTO_I8_SYMMETRIC, 1, 0), SOTTO_INVALID_ARGUMENT, "groups of nothing");
  expect(quantize(context, 1, -32, SOTTO_I8_SYMMETRIC, 1, 0), SOTTO_INVALID_ARGUMENT, "negative groups");
  expect(quantize(context, 2, 32, SOTTO_I8_SYMMETRIC, COUNT / 64, 0), SOTTO_INVALID_ARGUMENT, "blocks of two rows");
  expect(quantize(context, 1, 32, SOTTO_I8_SYMMETRIC, 1, 0), SOTTO_INVALID_ARGUMENT, "too few scales");
  expect(quantize(context, 1, 32, SOTTO_I8_ASYMMETRIC, COUNT / 32, 0), SOTTO_INVALID_ARGUMENT, "no zero points");
  expect(quantize(context, ROWS, COLUMNS, 3, 1, 0), SOTTO_INVALID_ARGUMENT, "an unknown scheme");
  expect(quantize(context, ROWS, COLUMNS, -1, 1, 0), SOTTO_INVALID_ARGUMENT, "a negative scheme");
  const float bad[] = {0, -1, NAN, INFINITY, 0x1p-127f};
  for (int i = 0; i < 5; i++) {
    scales[0] = bad[i];
    expect(quantize(context, ROWS, COLUMNS, SOTTO_I8_GIVEN, 1, 0), SOTTO_INVALID_ARGUMENT, "a scale that cannot be");
    expect(sotto_cpu_convert_i8_to_f32(context, codes, COUNT, ROWS, COLUMNS, ROWS, COLUMNS, scales, 1, NULL, 0, values,
                                       COUNT, TEXT),
           SOTTO_INVALID_ARGUMENT, "a scale that cannot have been");
  }
  scales[0] = 1;
  zeros[0] = INT32_MIN;
  expect(quantize(context, ROWS, COLUMNS, SOTTO_I8_GIVEN, 1, 1), SOTTO_INVALID_ARGUMENT, "a zero point beyond the codes");
  expect(sotto_cpu_convert_i8_to_f32(context, codes, COUNT, ROWS, COLUMNS, ROWS, COLUMNS, scales, 1, NULL, 1, values,
                                     COUNT, TEXT),
         SOTTO_INVALID_ARGUMENT, "zero points that are not there");
  expect(sotto_cpu_convert_i8_to_f32(context, codes, COUNT, ROWS, COLUMNS, ROWS, COLUMNS, scales, 1, NULL, 0, values,
                                     COUNT, TEXT),
         SOTTO_OK, "int8 back");
}

int main(void) {
  for (int i = 0; i < COUNT; i++) values[i] = (float)(i * 37 % 101) / 50 - 1;
  uint64_t context = 0;
  expect(sotto_cpu_context_create(2, "", 0, &context, TEXT), SOTTO_OK, "a context");
  test_bf16(context);
  test_bfp16(context);
  test_i8(context);
  sotto_cpu_destroy(context);
  expect(pack(context, ROWS, COLUMNS, whole, BYTES), SOTTO_INVALID_HANDLE, "a context that was destroyed");
  expect(quantize(context, ROWS, COLUMNS, SOTTO_I8_SYMMETRIC, 1, 0), SOTTO_INVALID_HANDLE, "int8 on it");
  return failures > 0;
}

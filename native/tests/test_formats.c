/* Kernels of number formats: every variant gives the bits of format_scalar.h, for any bits of F32 and all sizes; and
 * what format_scalar.h gives is as near as each format promises. */
#include "../cpu/format_scalar.h"

#include <stdlib.h>

#include "kernel_check.h"

enum { SIZES = 10, MOST = 100 };
static const int64_t sizes[SIZES] = {1, 7, 8, 9, 15, 16, 31, 33, 64, MOST};

/* Any bits: NaN, infinities and subnormals among them; in every other call numbers near 1, some of them 0. */
static void fill_bits(float *values, int64_t count, int is_tame) {
  for (int64_t i = 0; i < count; i++) {
    const uint32_t bits = (uint32_t)(int64_t)((random_uniform() + 1) * 0x1p31);
    values[i] = is_tame ? (bits % 7 == 0 ? 0 : (float)random_uniform()) : f32_of_bits(bits);
  }
}

static int same_bits(float a, float b) { return bits_of_f32(a) == bits_of_f32(b) || (isnan(a) && isnan(b)); }

void test_narrow_bf16(kernel_check *check, narrow_bf16_kernel *kernel) {
  for (int s = 0; s < SIZES; s++)
    for (int round = 0; round < 50; round++) {
      float *values = guarded_floats(MOST, 1);
      uint16_t codes[MOST + 1];
      codes[sizes[s]] = 0xabcd;
      fill_bits(values, sizes[s], round % 2);
      kernel(values, sizes[s], codes);
      for (int64_t i = 0; i < sizes[s]; i++) {
        const float x = values[i], got = f32_of_bf16(codes[i]);
        check_true(check, codes[i] == bf16_of_f32(x), "%a gives the code %04x", x, codes[i]);
        if (isfinite(x) && isfinite(got)) /* seven digits after the point, or a multiple of 2^-133 */
          check_close(check, got, x, fmax(fabs((double)x) * 0x1p-8, 0x1p-134), "%a", x);
      }
      check_true(check, codes[sizes[s]] == 0xabcd, "%lld codes and no more", (long long)sizes[s]);
      guarded_free(check, values);
    }
}

void test_widen_bf16(kernel_check *check, widen_bf16_kernel *kernel) {
  static uint16_t codes[65536];
  for (int i = 0; i < 65536; i++) codes[i] = (uint16_t)i;
  float *values = guarded_floats(65536, 1);
  for (int s = 0; s < SIZES; s++) kernel(codes, sizes[s], values);
  kernel(codes, 65536, values);
  for (int i = 0; i < 65536; i++) check_true(check, bits_of_f32(values[i]) == (uint32_t)i << 16, "the code %04x", i);
  guarded_free(check, values);
}

void test_encode_bfp16(kernel_check *check, encode_bfp16_kernel *kernel) {
  enum { ROW_STEP = 14 * 9, BYTES = 20 * ROW_STEP };
  for (int s = 0; s < SIZES; s++)
    for (int64_t rows = 1; rows <= 17; rows += rows < 9 ? 1 : 8)
      for (int options = 0; options < 8; options++) {
        const int is_nearest = options & 1, is_transposed = options >> 1 & 1, is_tame = options >> 2;
        const int64_t columns = sizes[s], row_stride = is_transposed ? 1 : columns + 3;
        const int64_t column_stride = is_transposed ? rows + 2 : 1;
        float *values = guarded_floats(rows * columns + 3 * rows + 2 * columns, 1);
        fill_bits(values, rows * columns + 3 * rows + 2 * columns, is_tame);
        static uint8_t got[BYTES], want[BYTES];
        memset(got, 0xab, sizeof got);
        memset(want, 0xab, sizeof want);
        kernel(values, row_stride, column_stride, rows, columns, is_nearest, got, ROW_STEP, BFP16_BLOCK_BYTES);
        for (int64_t r = 0; r < rows; r++)
          for (int64_t c = 0; c < columns; c += BFP16_BLOCK) {
            const float *const from = values + r * row_stride + c * column_stride;
            const int64_t count = columns - c < BFP16_BLOCK ? columns - c : BFP16_BLOCK;
            uint8_t *const block = want + r * ROW_STEP + c / BFP16_BLOCK * BFP16_BLOCK_BYTES;
            bfp16_encode_block(from, column_stride, count, is_nearest, block);
            for (int64_t i = 0; i < count; i++) {
              const double x = from[i * column_stride], unit = power_of_two(block[0] - 133);
              if (block[0] == BFP16_SPECIAL) continue;
              const double error = (int8_t)block[1 + i] * unit - x;
              check_close(check, error, is_nearest ? 0 : -unit / 2, unit / 2, "%a in a block of exponent %d", x, block[0]);
            }
          }
        check_true(check, memcmp(got, want, sizeof got) == 0, "%lld × %lld, options %d", (long long)rows,
                   (long long)columns, options);
        guarded_free(check, values);
      }
}

void test_decode_bfp16(kernel_check *check, decode_bfp16_kernel *kernel) {
  enum { BLOCKS = 13, ROW_STEP = BLOCKS * BFP16_BLOCK_BYTES };
  for (int s = 0; s < SIZES; s++)
    for (int exponent = 0; exponent < 256; exponent++) {
      uint8_t blocks[2 * ROW_STEP];
      for (int i = 0; i < 2 * ROW_STEP; i++)
        blocks[i] = i % BFP16_BLOCK_BYTES ? (uint8_t)(int)((random_uniform() + 1) * 128) : (uint8_t)(exponent + i / 9);
      const int64_t columns = sizes[s], stride = columns + 1;
      float *values = guarded_floats(2 * stride, 1);
      kernel(blocks, ROW_STEP, BFP16_BLOCK_BYTES, 2, columns, values, stride);
      for (int64_t r = 0; r < 2; r++)
        for (int64_t c = 0; c <= columns; c++) {
          float want[BFP16_BLOCK] = {0};
          const uint8_t *const block = blocks + r * ROW_STEP + c / BFP16_BLOCK * BFP16_BLOCK_BYTES;
          if (c < columns) bfp16_decode_block(block, BFP16_BLOCK, want);
          check_true(check, same_bits(values[r * stride + c], want[c % BFP16_BLOCK * (c < columns)]),
                     "exponent %d, column %lld of %lld", block[0], (long long)c, (long long)columns);
        }
      guarded_free(check, values);
    }
}

void test_range(kernel_check *check, range_kernel *kernel) {
  for (int s = 0; s < SIZES; s++)
    for (int round = 0; round < 50; round++) {
      float *values = guarded_floats(sizes[s], 1);
      fill_bits(values, sizes[s], round % 2);
      float low = 0, high = 0, least = 0, most = 0;
      kernel(values, sizes[s], &low, &high);
      for (int64_t i = 0; i < sizes[s]; i++) widen_range(values[i], &least, &most);
      check_true(check, low == least && high == most, "%lld values: %a … %a", (long long)sizes[s], low, high);
      guarded_free(check, values);
    }
}

/* Enough for runs that are taken together, some left over. */
enum { TESTED_RUNS = 11 };

void test_range_runs(kernel_check *check, range_runs_kernel *kernel) {
  for (int s = 0; s < SIZES; s++)
    for (int round = 0; round < 20; round++) {
      const int64_t length = sizes[s];
      float *values = guarded_floats(TESTED_RUNS * length, 1), *low = guarded_floats(TESTED_RUNS, 1),
            *high = guarded_floats(TESTED_RUNS, 1);
      fill_bits(values, TESTED_RUNS * length, round % 2);
      for (int64_t i = 0; round % 4 == 2 && i < TESTED_RUNS * length; i += 3 * length) values[i] = i % 2 ? INFINITY : -INFINITY;
      kernel(values, length, TESTED_RUNS, low, high);
      for (int64_t r = 0; r < TESTED_RUNS; r++) {
        float least = 0, most = 0;
        for (int64_t i = 0; i < length; i++) widen_range(values[r * length + i], &least, &most);
        check_true(check, low[r] == least && high[r] == most, "run %lld of %lld values: %a … %a", (long long)r,
                   (long long)length, low[r], high[r]);
      }
      guarded_free(check, values);
      guarded_free(check, low);
      guarded_free(check, high);
    }
}

void test_range_columns(kernel_check *check, range_columns_kernel *kernel) {
  for (int s = 0; s < SIZES; s++)
    for (int round = 0; round < 10; round++) {
      const int64_t rows = 5, columns = sizes[s], stride = columns + 2;
      float *values = guarded_floats(rows * stride, 1), *low = guarded_floats(columns, 1), *high = guarded_floats(columns, 1);
      fill_bits(values, rows * stride, round % 2);
      kernel(values, stride, rows, columns, low, high);
      for (int64_t c = 0; c < columns; c++) {
        float least = 0, most = 0;
        for (int64_t r = 0; r < rows; r++) widen_range(values[r * stride + c], &least, &most);
        check_true(check, low[c] == least && high[c] == most, "column %lld of %lld", (long long)c, (long long)columns);
      }
      guarded_free(check, values);
      guarded_free(check, low);
      guarded_free(check, high);
    }
}

/* Reciprocals of steps that use all codes, and zero points over all of theirs. */
static i8_step random_step(int is_symmetric) {
  const i8_step step = {(float)(100 * (1.01 + random_uniform())), (int32_t)floor(random_uniform() * 128), -128};
  return is_symmetric ? (i8_step){step.reciprocal, 0, -127} : step;
}

static void check_code(kernel_check *check, int8_t code, float value, i8_step step) {
  check_true(check, code == i8_of_f32(value, step), "%a · %a + %d gives %d", value, step.reciprocal, step.zero, code);
  const double exact = (double)value * step.reciprocal + step.zero;
  if (isfinite(exact))
    check_close(check, code, fmin(fmax(exact, step.bottom), 127), 0.5 + 1e-4, "%a · %a", value, step.reciprocal);
}

void test_quantize_i8(kernel_check *check, quantize_i8_kernel *kernel) {
  for (int s = 0; s < SIZES; s++)
    for (int round = 0; round < 50; round++) {
      const i8_step step = random_step(round / 2 % 2);
      float *values = guarded_floats(sizes[s], 1);
      int8_t codes[MOST + 1];
      codes[sizes[s]] = 99;
      fill_bits(values, sizes[s], round % 2);
      kernel(values, sizes[s], &step, codes);
      for (int64_t i = 0; i < sizes[s]; i++) check_code(check, codes[i], values[i], step);
      check_true(check, codes[sizes[s]] == 99, "%lld codes and no more", (long long)sizes[s]);
      guarded_free(check, values);
    }
}

void test_quantize_columns_i8(kernel_check *check, quantize_columns_i8_kernel *kernel) {
  for (int s = 0; s < SIZES; s++)
    for (int round = 0; round < 50; round++) {
      const int is_symmetric = round / 2 % 2;
      float *values = guarded_floats(sizes[s], 1), *reciprocals = guarded_floats(sizes[s], 1);
      int32_t zeros[MOST];
      int8_t codes[MOST + 1];
      codes[sizes[s]] = 99;
      fill_bits(values, sizes[s], round % 2);
      for (int64_t i = 0; i < sizes[s]; i++) {
        const i8_step step = random_step(is_symmetric);
        reciprocals[i] = step.reciprocal;
        zeros[i] = step.zero;
      }
      kernel(values, sizes[s], reciprocals, is_symmetric ? NULL : zeros, codes);
      for (int64_t i = 0; i < sizes[s]; i++)
        check_code(check, codes[i], values[i], (i8_step){reciprocals[i], zeros[i], is_symmetric ? -127 : -128});
      check_true(check, codes[sizes[s]] == 99, "%lld codes and no more", (long long)sizes[s]);
      guarded_free(check, values);
      guarded_free(check, reciprocals);
    }
}

void test_dequantize_i8(kernel_check *check, dequantize_i8_kernel *kernel) {
  int8_t codes[256];
  for (int i = 0; i < 256; i++) codes[i] = (int8_t)(i - 128);
  const float scales[] = {1, 0x1p-126f, 0x1.234567p-9f, 1e36f};
  for (int s = 0; s < 4; s++)
    for (int32_t zero = -128; zero <= 127; zero += 51)
      for (int64_t count = 241; count <= 256; count++) {
        float *values = guarded_floats(count, 1);
        kernel(codes, count, scales[s], zero, values);
        for (int64_t i = 0; i < count; i++)
          check_close(check, values[i], (float)((codes[i] - zero) * (double)scales[s]), 0, "the code %d", codes[i]);
        guarded_free(check, values);
      }
}

void test_dequantize_columns_i8(kernel_check *check, dequantize_columns_i8_kernel *kernel) {
  for (int s = 0; s < SIZES; s++)
    for (int is_symmetric = 0; is_symmetric < 2; is_symmetric++) {
      float *values = guarded_floats(sizes[s], 1), *scales = guarded_floats(sizes[s], 1);
      int32_t zeros[MOST];
      int8_t codes[MOST];
      for (int64_t i = 0; i < sizes[s]; i++) {
        scales[i] = (float)(1.01 + random_uniform());
        zeros[i] = (int32_t)floor(random_uniform() * 128);
        codes[i] = (int8_t)floor(random_uniform() * 128);
      }
      kernel(codes, sizes[s], scales, is_symmetric ? NULL : zeros, values);
      for (int64_t i = 0; i < sizes[s]; i++)
        check_close(check, values[i], (float)((codes[i] - (is_symmetric ? 0 : zeros[i])) * (double)scales[i]), 0,
                    "the code %d", codes[i]);
      guarded_free(check, values);
      guarded_free(check, scales);
    }
}

/* Kernels that work on rows: transposition, layer norm, GELU; and those that measure. */
#include <math.h>

#include "kernel_check.h"

void test_transpose(kernel_check *check, transpose_kernel *kernel) {
  const int64_t sizes[] = {1, 7, 8, 9, 15, 16, 17, 33, 80};
  const int count = sizeof sizes / sizeof *sizes;
  for (int i = 0; i < count; i++)
    for (int j = 0; j < count; j++) {
      const int64_t rows = sizes[i], columns = sizes[j], in_stride = columns + 3, out_stride = rows + 5;
      float *in = guarded_floats(rows * in_stride, 1), *out = guarded_floats(columns * out_stride, 1);
      fill(in, rows, in_stride, FILL_RANDOM);
      kernel(in, in_stride, out, out_stride, rows, columns);
      for (int64_t c = 0; c < columns; c++)
        for (int64_t r = 0; r < out_stride; r++)
          check_close(check, out[c * out_stride + r], r < rows ? in[r * in_stride + c] : 0, 0, "%lld × %lld, row %lld, column %lld",
                      (long long)rows, (long long)columns, (long long)c, (long long)r);
      guarded_free(check, in);
      guarded_free(check, out);
    }
}

/* `mean` moves all values of a row away from 0; `mode` applies before. */
static void test_norm(kernel_check *check, layernorm_kernel *kernel, int64_t columns, fill_mode mode, double mean,
                      int in_place) {
  const int64_t rows = 3;
  float *in = guarded_floats(rows * columns, 1), *given = guarded_floats(rows * columns, 0);
  float *weight = guarded_floats(columns, 1), *bias = guarded_floats(columns, 1), *out = guarded_floats(rows * columns, 1);
  fill(given, rows, columns, mode);
  for (int64_t i = 0; i < rows * columns; i++) in[i] = given[i] += (float)mean;
  fill(weight, 1, columns, FILL_RANDOM);
  fill(bias, 1, columns, FILL_RANDOM);
  float *result = in_place ? in : out;
  kernel(in, result, weight, bias, rows, columns);
  for (int64_t r = 0; r < rows; r++) {
    const float *x = given + r * columns;
    double sum = 0, squares = 0, most = 0;
    for (int64_t c = 0; c < columns; c++) sum += x[c];
    const double middle = sum / (double)columns;
    for (int64_t c = 0; c < columns; c++) squares += (x[c] - middle) * (x[c] - middle);
    const double scale = 1 / sqrt(squares / (double)columns + LAYERNORM_EPSILON);
    for (int64_t c = 0; c < columns; c++)
      most = fmax(most, fmax(fabs((x[c] - middle) * scale * weight[c]), fabs(bias[c])));
    for (int64_t c = 0; c < columns; c++)
      check_close(check, result[r * columns + c], (x[c] - middle) * scale * weight[c] + bias[c],
                  TOLERANCE_LAYERNORM(fmax(most, 1e-3), fabs(middle) * scale), "%lld columns, %s, mean %g, row %lld, column %lld",
                  (long long)columns, fill_name(mode), mean, (long long)r, (long long)c);
  }
  guarded_free(check, in);
  guarded_free(check, given);
  guarded_free(check, weight);
  guarded_free(check, bias);
  guarded_free(check, out);
}

void test_layernorm(kernel_check *check, layernorm_kernel *kernel) {
  const int64_t sizes[] = {1, 2, 15, 16, 17, 31, 32, 33, 63, 64, 65, 384, 512, 1280};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
    for (fill_mode mode = 0; mode < FILL_COUNT; mode++) {
      test_norm(check, kernel, sizes[i], mode, 0, i % 2);
      if (mode == FILL_RANDOM || mode == FILL_SIGNED_ZERO) test_norm(check, kernel, sizes[i], mode, 100, i % 2);
    }
}

static void check_gelu(kernel_check *check, gelu_kernel *kernel, const float *x, int64_t count, int shift) {
  float *values = guarded_floats(count, shift);
  for (int64_t i = 0; i < count; i++) values[i] = x[i];
  kernel(values, count);
  for (int64_t i = 0; i < count; i++) {
    const double want = gelu_of(x[i]);
    check_close(check, values[i], want, TOLERANCE_GELU(fabs((double)x[i]), fabs(want)), "x = %.9g, %lld values", x[i],
                (long long)count);
  }
  guarded_free(check, values);
}

void test_gelu(kernel_check *check, gelu_kernel *kernel) {
  enum { GRID = 120001 };
  static float grid[GRID];
  for (int i = 0; i < GRID; i++) grid[i] = (float)(i - GRID / 2) * 2e-4f; /* −12…12 */
  check_gelu(check, kernel, grid, GRID, 1);
  const float special[] = {0.0f,   -0.0f,   1e-45f, -1e-45f, 1e-38f, -1e-38f, 5.99f, -5.99f, 6.01f,
                           -6.01f, 13.2f,   -13.2f, 100,     -100,   1e4f,    -1e4f, 1e30f,  -1e30f};
  for (int64_t count = 1; count <= (int64_t)(sizeof special / sizeof *special); count++)
    check_gelu(check, kernel, special, count, 0);
}

static void test_peak(kernel_check *check, peak_kernel *kernel) {
  float sink = 0;
  const double once = kernel(1000, &sink), twice = kernel(2000, &sink);
  check_true(check, once > 0 && twice == 2 * once, "operations counted: %g, then %g", once, twice);
  check_true(check, isfinite(sink) && sink != 0, "a finite sum that is not 0: %g", sink);
}

void test_peak_f32(kernel_check *check, peak_kernel *kernel) { test_peak(check, kernel); }
void test_peak_bf16(kernel_check *check, peak_kernel *kernel) { test_peak(check, kernel); }
void test_peak_f16(kernel_check *check, peak_kernel *kernel) { test_peak(check, kernel); }
void test_peak_i8(kernel_check *check, peak_kernel *kernel) { test_peak(check, kernel); }

void test_read(kernel_check *check, read_kernel *kernel) {
  enum { COUNT = 1 << 16 };
  float *values = guarded_floats(COUNT, 0);
  for (int i = 0; i < COUNT; i++) values[i] = (float)(i % 7);
  double want = 0;
  for (int i = 0; i < COUNT; i++) want += values[i];
  check_close(check, kernel(values, COUNT), want, TOLERANCE_SUM(COUNT / 32, want), "a sum of %d values", COUNT);
  guarded_free(check, values);
}

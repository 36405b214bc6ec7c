/* The decoder's kernels and the log-mel, against their definitions in double precision. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../cpu/dtype.h"
#include "../cpu/rows_i8.h"
#include "kernel_check.h"

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

/* A random F16 in ±2, and its value. */
static uint16_t random_half(float *value) {
  const uint16_t bits = (uint16_t)((random_uniform() < 0 ? 0x8000 : 0) | (uint16_t)((random_uniform() + 1) * 0x1fff));
  *value = f16_to_f32(bits);
  return bits;
}

/* ---- project: out[r, n] = Σk x[r, k] · w[n, k] */

static void test_project(kernel_check *check, project_kernel *kernel, int is_f16, int64_t rows, int64_t n, int64_t k) {
  const int64_t x_stride = k + 3, out_stride = n + 1;
  float *x = guarded_floats(rows * x_stride, 1), *out = guarded_floats(rows * out_stride, 1);
  float *w = guarded_floats(n * k, 0), *stored = guarded_floats(is_f16 ? (n * k + 1) / 2 : n * k, 1);
  fill(x, rows, x_stride, FILL_RANDOM);
  for (int64_t i = 0; i < n * k; i++) {
    if (is_f16) {
      const uint16_t half = random_half(&w[i]);
      memcpy((char *)stored + 2 * i, &half, sizeof half);
    } else {
      stored[i] = w[i] = (float)random_uniform();
    }
  }
  kernel(x, x_stride, rows, stored, n, k, out, out_stride);
  for (int64_t r = 0; r < rows; r++)
    for (int64_t c = 0; c < n; c++) {
      double want = 0, magnitude = 0;
      for (int64_t i = 0; i < k; i++) {
        const double term = (double)x[r * x_stride + i] * w[c * k + i];
        want += term;
        magnitude += fabs(term);
      }
      check_close(check, out[r * out_stride + c], want, TOLERANCE_SUM(k, magnitude), "%lld rows, N %lld, K %lld, row %lld, column %lld",
                  (long long)rows, (long long)n, (long long)k, (long long)r, (long long)c);
    }
  guarded_free(check, x);
  guarded_free(check, out);
  guarded_free(check, w);
  guarded_free(check, stored);
}

static void test_projects(kernel_check *check, project_kernel *kernel, int is_f16) {
  const int64_t rows[] = {1, 2, 3, 4, 5, 6, 7, 8, 13, 33}, ns[] = {1, 3, 4, 5, 17}, ks[] = {1, 7, 8, 15, 16, 17, 64, 77, 384};
  for (size_t i = 0; i < COUNT_OF(rows); i++)
    for (size_t j = 0; j < COUNT_OF(ns); j++)
      for (size_t l = 0; l < COUNT_OF(ks); l++) test_project(check, kernel, is_f16, rows[i], ns[j], ks[l]);
  test_project(check, kernel, is_f16, 9, 257, 2049); /* more than one piece of w */
}

void test_project_f32(kernel_check *check, project_kernel *kernel) { test_projects(check, kernel, 0); }
void test_project_f16(kernel_check *check, project_kernel *kernel) { test_projects(check, kernel, 1); }

/* ---- project_i8: out[r, n] = x_scales[r] · Σk x[r, k] · code[n, k] · scale[n, k / 64] */

/* What the codes of a product are. */
typedef enum { CODES_RANDOM, CODES_SATURATING, CODES_ZERO_ROWS, CODES_ONE_HOT, CODES_COUNT } code_mode;

/* `most` is the largest code of its kind; saturating ones have one sign, so that sums reach the most there can be. */
static int32_t code_of(code_mode mode, int64_t row, int64_t column, int64_t rows, int64_t columns, int32_t most) {
  if (mode == CODES_SATURATING) return row % 2 ? -most : most;
  if (mode == CODES_ZERO_ROWS && row % 2 == 0) return 0;
  if (mode == CODES_ONE_HOT) return row == rows / 2 && column == columns / 2 ? most : 0;
  return (int32_t)(random_uniform() * (most + 0.5));
}

static void test_project_codes(kernel_check *check, project_i8_kernel *kernel, code_mode mode, int64_t rows, int64_t n,
                               int64_t k) {
  const int64_t x_stride = i8_codes(k) + 5, out_stride = n + 1, groups = i8_groups(k);
  float *x_memory = guarded_floats((rows * x_stride + 1) / 2, 1), *x_scales = guarded_floats(rows, 1);
  float *w_memory = guarded_floats(i8_matrix_bytes(n, k) / 4, 0), *out = guarded_floats(rows * out_stride, 1);
  int16_t *const x = (int16_t *)x_memory;
  int8_t *const w = (int8_t *)w_memory;
  for (int64_t r = 0; r < rows; r++) {
    x_scales[r] = (float)random_uniform();
    for (int64_t i = 0; i < x_stride; i++) /* behind K anything at all */
      x[r * x_stride + i] = (int16_t)(i < k ? code_of(mode, r, i, rows, k, 32767) : random_uniform() * 32767);
  }
  memset(w, 0, (size_t)i8_matrix_bytes(n, k));
  for (int64_t c = 0; c < n; c++) {
    for (int64_t i = 0; i < k; i++) w[i8_code_at(c, i, k)] = (int8_t)code_of(mode, c, i, n, k, 127);
    for (int64_t g = 0; g < groups; g++) {
      const float scale = mode == CODES_ZERO_ROWS && c % 2 == 0 ? 0 : (float)((random_uniform() + 1.5) * 1e-3);
      memcpy(w + i8_scale_at(c, g, k), &scale, sizeof scale);
    }
  }
  kernel(x, x_stride, x_scales, rows, w, n, k, out, out_stride);
  for (int64_t r = 0; r < rows; r++)
    for (int64_t c = 0; c < n; c++) {
      double want = 0, magnitude = 0;
      for (int64_t i = 0; i < k; i++) {
        float scale;
        memcpy(&scale, w + i8_scale_at(c, i / I8_GROUP, k), sizeof scale);
        const double term = (double)x[r * x_stride + i] * w[i8_code_at(c, i, k)] * scale * x_scales[r];
        want += term;
        magnitude += fabs(term);
      }
      /* Sums within a group are exact; between them, and for the two scales, F32. */
      check_close(check, out[r * out_stride + c], want, TOLERANCE_SUM(groups + 4, magnitude),
                  "%lld rows, N %lld, K %lld, row %lld, column %lld, mode %d", (long long)rows, (long long)n, (long long)k,
                  (long long)r, (long long)c, (int)mode);
    }
  guarded_free(check, x_memory);
  guarded_free(check, x_scales);
  guarded_free(check, w_memory);
  guarded_free(check, out);
}

void test_project_i8(kernel_check *check, project_i8_kernel *kernel) {
  const int64_t rows[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 33}, ns[] = {1, 5, 16, 17, 32, 33, 50}, ks[] = {1, 63, 64, 65, 128, 150, 384};
  for (code_mode mode = 0; mode < CODES_COUNT; mode++) {
    for (size_t i = 0; i < COUNT_OF(rows); i++)
      for (size_t j = 0; j < COUNT_OF(ns); j++)
        for (size_t l = 0; l < COUNT_OF(ks); l++) test_project_codes(check, kernel, mode, rows[i], ns[j], ks[l]);
    test_project_codes(check, kernel, mode, 9, 257, 2049); /* more than one piece of w */
    test_project_codes(check, kernel, mode, 33, 257, 2049);
  }
}

/* ---- combine: out[r, n] = Σk a[r, k] · b[k, n] */

static void test_combine(kernel_check *check, combine_kernel *kernel, int width, int64_t rows, int64_t n, int64_t k) {
  const int64_t a_stride = k + 1, b_stride = n + 2, out_stride = n + 1;
  float *a = guarded_floats(rows * a_stride, 1), *out = guarded_floats(rows * out_stride, 1);
  float *b = guarded_floats(k * b_stride, 0), *stored = guarded_floats((k * b_stride * width + 3) / 4, 1);
  fill(a, rows, a_stride, FILL_RANDOM);
  for (int64_t i = 0; i < k * b_stride; i++) {
    if (width == 1) {
      b[i] = ((int8_t *)stored)[i] = (int8_t)(random_uniform() * 127);
    } else if (width == 2) {
      const int16_t code = (int16_t)(random_uniform() * 32767);
      memcpy((char *)stored + 2 * i, &code, sizeof code);
      b[i] = code;
    } else {
      stored[i] = b[i] = (float)random_uniform();
    }
  }
  kernel(a, a_stride, rows, stored, b_stride, n, k, out, out_stride);
  for (int64_t r = 0; r < rows; r++)
    for (int64_t c = 0; c < n; c++) {
      double want = 0, magnitude = 0;
      for (int64_t i = 0; i < k; i++) {
        const double term = (double)a[r * a_stride + i] * b[i * b_stride + c];
        want += term;
        magnitude += fabs(term);
      }
      check_close(check, out[r * out_stride + c], want, TOLERANCE_SUM(k, magnitude), "%lld rows, N %lld, K %lld, row %lld, column %lld",
                  (long long)rows, (long long)n, (long long)k, (long long)r, (long long)c);
    }
  guarded_free(check, a);
  guarded_free(check, out);
  guarded_free(check, b);
  guarded_free(check, stored);
}

static void test_combines(kernel_check *check, combine_kernel *kernel, int width) {
  const int64_t rows[] = {1, 2, 3, 5, 6, 11}, ns[] = {1, 15, 16, 17, 31, 32, 33, 63, 64, 65, 80, 130}, ks[] = {1, 2, 3, 64, 65};
  for (size_t i = 0; i < COUNT_OF(rows); i++)
    for (size_t j = 0; j < COUNT_OF(ns); j++)
      for (size_t l = 0; l < COUNT_OF(ks); l++) test_combine(check, kernel, width, rows[i], ns[j], ks[l]);
}

void test_combine_f32(kernel_check *check, combine_kernel *kernel) { test_combines(check, kernel, 4); }
void test_combine_i16(kernel_check *check, combine_kernel *kernel) { test_combines(check, kernel, 2); }
void test_combine_i8(kernel_check *check, combine_kernel *kernel) { test_combines(check, kernel, 1); }

/* ---- softmax: x[i] ← exp(scale · (x[i] − max x)); answers the sum */

void test_softmax_f32(kernel_check *check, softmax_kernel *kernel) {
  const int64_t sizes[] = {1, 2, 7, 8, 9, 15, 16, 17, 33, 448, 1500};
  const double spans[] = {0, 1, 30, 1000};
  const float scales[] = {0.125f, 1, 3};
  for (size_t i = 0; i < COUNT_OF(sizes); i++)
    for (size_t j = 0; j < COUNT_OF(spans); j++)
      for (size_t l = 0; l < COUNT_OF(scales); l++) {
        const int64_t n = sizes[i];
        float *x = guarded_floats(n, 1), *given = guarded_floats(n, 0);
        double largest = -INFINITY, sum = 0;
        for (int64_t c = 0; c < n; c++) {
          x[c] = given[c] = (float)(random_uniform() * spans[j] - 5);
          largest = fmax(largest, given[c]);
        }
        const double got = kernel(x, n, scales[l]);
        const double tolerance = TOLERANCE_SOFTMAX(scales[l] * (fabs(largest) + 2 * spans[j]));
        for (int64_t c = 0; c < n; c++) {
          const double want = exp(scales[l] * (given[c] - largest));
          sum += want;
          check_close(check, x[c], want, tolerance * fmax(want, 1e-30), "%lld values, span %g, scale %g, value %lld",
                      (long long)n, spans[j], scales[l], (long long)c);
        }
        check_close(check, got, sum, (tolerance + TOLERANCE_SUM(n / 8 + 8, 1)) * sum, "the sum of %lld values", (long long)n);
        guarded_free(check, x);
        guarded_free(check, given);
      }
}

/* ---- narrow: F32 to F16, to nearest even, saturating */

static void check_narrow(kernel_check *check, narrow_kernel *kernel, const float *values, const uint16_t *want, int64_t count) {
  float *out = guarded_floats((count + 1) / 2, 1);
  kernel(values, count, out);
  for (int64_t i = 0; i < count; i++) {
    uint16_t got;
    memcpy(&got, (char *)out + 2 * i, sizeof got);
    check_true(check, got == want[i], "%.9g of %lld values becomes %04x: got %04x", values[i], (long long)count, want[i], got);
  }
  guarded_free(check, out);
}

void test_narrow_f16(kernel_check *check, narrow_kernel *kernel) {
  enum { FINITE = 0x7c00 };
  static float values[8 * FINITE];
  static uint16_t want[8 * FINITE];
  int64_t count = 0;
  /* Every half, the middle to its neighbour (which goes to the even one) and both sides of that middle, of both signs. */
  for (int code = 0; code < FINITE; code++)
    for (int negative = 0; negative <= 1; negative++) {
      const float sign = negative ? -1.0f : 1.0f, here = f16_to_f32((uint16_t)code);
      const float next = code + 1 < FINITE ? f16_to_f32((uint16_t)(code + 1)) : 65536.0f, middle = (here + next) / 2;
      const uint16_t bits = negative ? 0x8000 : 0, above = (uint16_t)(code + 1 < FINITE ? code + 1 : code);
      const float all[] = {here, middle, nextafterf(middle, 0), nextafterf(middle, INFINITY)};
      const uint16_t codes[] = {(uint16_t)code, code % 2 ? above : (uint16_t)code, (uint16_t)code, above};
      for (int i = 0; i < 4; i++) {
        values[count] = sign * all[i];
        want[count++] = bits | codes[i];
      }
    }
  check_narrow(check, kernel, values, want, count);
  const float large[] = {65504, 65520, 1e6f, FLT_MAX, -FLT_MAX, -65519, 1e-45f, -1e-45f};
  const uint16_t large_want[] = {0x7bff, 0x7bff, 0x7bff, 0x7bff, 0xfbff, 0xfbff, 0, 0x8000};
  check_narrow(check, kernel, large, large_want, COUNT_OF(large));
  for (int64_t n = 1; n <= 40; n++) check_narrow(check, kernel, values + 1000, want + 1000, n);
}

/* ---- quantize: out[i] = round(values[i] / scale), scale = max |values| / 32767 */

void test_quantize_i16(kernel_check *check, quantize_kernel *kernel) {
  const int64_t sizes[] = {1, 7, 8, 15, 16, 17, 33, 64, 4096};
  for (size_t i = 0; i < COUNT_OF(sizes); i++)
    for (fill_mode mode = 0; mode < FILL_COUNT; mode++) {
      if (mode == FILL_SUBNORMAL) continue; /* a cache holds no such values; their scale has too few digits */
      const int64_t n = sizes[i];
      float *values = guarded_floats(n, 1), *out = guarded_floats((n + 1) / 2, 0);
      fill(values, 1, n, mode);
      double most = 0;
      for (int64_t c = 0; c < n; c++) most = fmax(most, fabs((double)values[c]));
      const double scale = kernel(values, n, (int16_t *)out);
      check_close(check, scale, most / 32767, 4 * ROUNDING * most / 32767, "the scale of %lld values, %s", (long long)n,
                  fill_name(mode));
      for (int64_t c = 0; c < n; c++) {
        int16_t code;
        memcpy(&code, (char *)out + 2 * c, sizeof code);
        /* Half a step, and what the division may round. */
        check_close(check, code * scale, values[c], scale * 0.51, "value %lld of %lld, %s", (long long)c, (long long)n, fill_name(mode));
      }
      guarded_free(check, values);
      guarded_free(check, out);
    }
}

/* ---- count_non_finite */

static void test_count(kernel_check *check, count_non_finite_kernel *kernel, size_t width, const uint32_t *bad, int bad_count,
                       const uint32_t *good, int good_count) {
  for (int64_t n = 0; n <= 130; n += n < 40 ? 1 : 30) {
    float *values = guarded_floats(n, 1);
    int64_t want = 0;
    for (int64_t i = 0; i < n; i++) {
      const int is_bad = random_uniform() > 0.5;
      const uint32_t bits = is_bad ? bad[i % bad_count] : good[i % good_count];
      memcpy((char *)values + (size_t)i * width, &bits, width);
      want += is_bad;
    }
    check_true(check, kernel(values, n) == want, "%lld of %lld values", (long long)want, (long long)n);
    guarded_free(check, values);
  }
}

void test_count_non_finite_f16(kernel_check *check, count_non_finite_kernel *kernel) {
  const uint32_t bad[] = {0x7c00, 0xfc00, 0x7c01, 0xffff, 0x7e00}, good[] = {0, 0x8000, 0x7bff, 0xfbff, 1, 0x3c00};
  test_count(check, kernel, 2, bad, COUNT_OF(bad), good, COUNT_OF(good));
}

void test_count_non_finite_f32(kernel_check *check, count_non_finite_kernel *kernel) {
  const uint32_t bad[] = {0x7f800000, 0xff800000, 0x7f800001, 0xffffffff, 0x7fc00000};
  const uint32_t good[] = {0, 0x80000000, 0x7f7fffff, 0xff7fffff, 1, 0x3f800000};
  test_count(check, kernel, 4, bad, COUNT_OF(bad), good, COUNT_OF(good));
}

/* ---- mel: log10 of the mel power spectrum, by the definition of the Fourier transform */

void test_mel_f32(kernel_check *check, mel_kernel *kernel) {
  enum { BANDS = 5, MAX_FRAMES = 37 };
  static mel_tables tables;
  static float filters[BANDS * MEL_BINS];
  const int32_t first[BANDS] = {0, 1, 37, 100, 190}, end[BANDS] = {2, 9, 80, 200, MEL_BINS};
  for (int n = 0; n < MEL_WINDOW; n++) {
    const double angle = 2 * acos(-1) * n / MEL_WINDOW;
    tables.window[n] = (float)(0.5 - 0.5 * cos(angle));
    tables.cosine[n] = (float)cos(angle);
    tables.sine[n] = (float)-sin(angle);
  }
  for (int b = 0; b < BANDS; b++)
    for (int bin = first[b]; bin < end[b]; bin++) filters[b * MEL_BINS + bin] = (float)(random_uniform() + 1.01) / 64;
  tables.bands = BANDS;
  tables.filters = filters;
  tables.first = first;
  tables.end = end;
  for (int64_t frames = 1; frames <= MAX_FRAMES; frames += frames < 18 ? 1 : 19) {
    const int64_t length = MEL_HOP * (frames - 1) + MEL_WINDOW;
    float *samples = guarded_floats(length, 1), *out = guarded_floats(frames * BANDS, 1);
    for (int64_t i = 0; i < length; i++)
      samples[i] = frames == 3 ? 0 : (float)(0.5 * sin((double)(i * i) * 1e-3) + 0.1 * random_uniform());
    kernel(&tables, samples, frames, out);
    for (int64_t t = 0; t < frames; t++) {
      double power[MEL_BINS], most = 0;
      for (int bin = 0; bin < MEL_BINS; bin++) {
        double re = 0, im = 0;
        for (int n = 0; n < MEL_WINDOW; n++) {
          const double angle = 2 * acos(-1) * (double)(bin * n % MEL_WINDOW) / MEL_WINDOW;
          const double x = (double)samples[t * MEL_HOP + n] * (0.5 - 0.5 * cos(2 * acos(-1) * n / MEL_WINDOW));
          re += x * cos(angle);
          im -= x * sin(angle);
        }
        power[bin] = re * re + im * im;
        most = fmax(most, power[bin]);
      }
      for (int b = 0; b < BANDS; b++) {
        double mel = 0, weight = 0;
        for (int bin = first[b]; bin < end[b]; bin++) {
          mel += filters[b * MEL_BINS + bin] * power[bin];
          weight += filters[b * MEL_BINS + bin];
        }
        /* An error of the power is relative to the frame's largest; it is larger where a band is weak against it. */
        const double floor = fmax(mel, MEL_FLOOR), slope = TOLERANCE_POWER * most * weight / floor / log(10);
        check_close(check, out[t * BANDS + b], log10(floor), slope + TOLERANCE_LOG, "%lld frames, frame %lld, band %d",
                    (long long)frames, (long long)t, b);
      }
    }
    guarded_free(check, samples);
    guarded_free(check, out);
  }
}

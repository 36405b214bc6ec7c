#include "kernel_check.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GUARD = 64, MAX_PRINTED = 5 };
static const uint32_t guard_bits = 0x7fa5a5a5; /* a NaN, so that what was read from a guard shows in sums as well */

static void print_failure(kernel_check *check, const char *what, const char *format, va_list arguments) {
  if (check->failures++ >= MAX_PRINTED) return;
  printf("  %s: %s at ", check->kernel, what);
  vprintf(format, arguments);
  printf("\n");
}

void check_close(kernel_check *check, double got, double want, double tolerance, const char *format, ...) {
  check->compared++;
  double error = fabs(got - want);
  int is_close = error <= tolerance; /* false for NaN */
  if (tolerance > 0 && error / tolerance > check->worst) check->worst = error / tolerance;
  if (is_close) return;
  char what[128];
  snprintf(what, sizeof what, "got %.9g, want %.9g ± %.2g", got, want, tolerance);
  va_list arguments;
  va_start(arguments, format);
  print_failure(check, what, format, arguments);
  va_end(arguments);
}

void check_true(kernel_check *check, int condition, const char *format, ...) {
  check->compared++;
  if (condition) return;
  va_list arguments;
  va_start(arguments, format);
  print_failure(check, "not so", format, arguments);
  va_end(arguments);
}

/* Before the front guard: where the allocation begins and how many floats the array has. */
typedef struct {
  void *allocation;
  int64_t count;
} guarded_header;

float *guarded_floats(int64_t count, int shift) {
  size_t floats = (size_t)count + 2 * GUARD + 32;
  char *allocation = malloc(sizeof(guarded_header) + 64 + floats * sizeof(float));
  if (allocation == NULL) {
    printf("memory was refused\n");
    exit(2);
  }
  uintptr_t begin = ((uintptr_t)allocation + sizeof(guarded_header) + 63) / 64 * 64;
  memcpy((char *)begin - sizeof(guarded_header), &(guarded_header){allocation, count}, sizeof(guarded_header));
  /* The header's place is found again by rounding down, as the shift is less than the alignment. */
  float *values = (float *)begin + GUARD + (shift ? 1 : 0);
  for (int i = 0; i < GUARD; i++) {
    memcpy((float *)begin + i, &guard_bits, sizeof guard_bits);
    memcpy(values + count + i, &guard_bits, sizeof guard_bits);
  }
  for (int64_t i = 0; i < count; i++) values[i] = 0;
  return values;
}

void guarded_free(kernel_check *check, float *values) {
  char *begin = (char *)((uintptr_t)(values - GUARD) / 64 * 64);
  guarded_header header;
  memcpy(&header, begin - sizeof header, sizeof header);
  int is_whole = 1;
  for (int i = 0; i < GUARD; i++) {
    is_whole &= memcmp((float *)begin + i, &guard_bits, sizeof guard_bits) == 0;
    is_whole &= memcmp(values + header.count + i, &guard_bits, sizeof guard_bits) == 0;
  }
  check_true(check, is_whole, "the guards of an array of %lld floats", (long long)header.count);
  free(header.allocation);
}

double random_uniform(void) {
  static uint64_t state = 0x9e3779b97f4a7c15u; /* xorshift64* (Vigna 2016) */
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  return (double)((state * 0x2545f4914f6cdd1du) >> 11) * 0x1p-52 - 1;
}

const char *fill_name(fill_mode mode) {
  static const char *const names[FILL_COUNT] = {"random", "zero rows", "one hot", "subnormal", "signed zero", "large", "extreme"};
  return names[mode];
}

void fill(float *values, int64_t rows, int64_t columns, fill_mode mode) {
  for (int64_t r = 0; r < rows; r++)
    for (int64_t c = 0; c < columns; c++) {
      double x = random_uniform();
      switch (mode) {
        case FILL_ZERO_ROWS: x = r % 2 ? 0 : x; break;
        case FILL_ONE_HOT: x = r == rows / 2 && c == columns / 2 ? 1 : 0; break;
        case FILL_SUBNORMAL: x *= 0x1p-130; break;
        case FILL_SIGNED_ZERO: x = x < 0 ? -0.0 : 0.0; break;
        case FILL_LARGE: x *= 1e15; break;
        case FILL_EXTREME: x = r % 3 ? 1 : -1; break;
        default: break;
      }
      values[r * columns + c] = (float)x;
    }
}

double gelu_of(double x) { return 0.5 * x * erfc(-x * 0.70710678118654752440); }

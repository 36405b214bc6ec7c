#if defined(__linux__)
#define _GNU_SOURCE /* clock_gettime under -std=c11 */
#endif
#include "arithmetic.h"

#include <stddef.h>
#include <time.h>

/* A burst is a few microseconds, short against a time slice, and the fastest counts: interruptions only ever slow one
 * down. Together they outlast the tens of microseconds in which some processors power up their wide units. */
enum { BURSTS = 24, ROUNDS = 1000 };

static double now_seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

peak_kernel *arithmetic_peak(const kernel_table *kernels, int arithmetic) {
  switch (arithmetic) {
    case SOTTO_ARITHMETIC_F32: return kernels->peak_f32;
    case SOTTO_ARITHMETIC_BF16: return kernels->peak_bf16;
    case SOTTO_ARITHMETIC_F16: return kernels->peak_f16;
    case SOTTO_ARITHMETIC_I8: return kernels->peak_i8;
    default: return NULL;
  }
}

const char *arithmetic_name(int arithmetic) {
  switch (arithmetic) {
    case SOTTO_ARITHMETIC_F32: return "f32";
    case SOTTO_ARITHMETIC_BF16: return "bf16";
    case SOTTO_ARITHMETIC_F16: return "f16";
    case SOTTO_ARITHMETIC_I8: return "i8";
    default: return NULL;
  }
}

void arithmetic_rates(const kernel_table *kernels, double rates[SOTTO_ARITHMETIC_I8 + 1]) {
  volatile float kept = 0; /* or the work could be left out */
  for (int i = 0; i <= SOTTO_ARITHMETIC_I8; i++) {
    peak_kernel *peak = arithmetic_peak(kernels, i);
    rates[i] = 0;
    for (int burst = 0; peak != NULL && burst < BURSTS; burst++) {
      float sink = 0;
      const double began = now_seconds(), operations = peak(ROUNDS, &sink), seconds = now_seconds() - began;
      kept = sink;
      if (seconds > 0 && operations / seconds > rates[i]) rates[i] = operations / seconds;
    }
  }
  (void)kept;
}

/* e^x for x <= 0, to the same bits everywhere: 2^n · 2^f with n the nearest integer to x·log2(e) and |f| <= 1/2; 2^f by its
 * Taylor polynomial of degree 6, whose remainder (f ln 2)^7 / 7! is below 1.2e-7 of it. Plain multiplications and additions in
 * F32. 0 below -87; NaN for NaN. */
#ifndef SOTTO_NPU_TILE_EXP_H
#define SOTTO_NPU_TILE_EXP_H

#include "numbers.h"

#define LOG2_E 1.44269504f

/* Adding it to |t| < 2^22 leaves the nearest integer in the last bits. */
#define ROUNDER 12582912.0f

static inline float tile_exp(float x) {
  const float t = x * LOG2_E, shifted = t + ROUNDER, f = t - (shifted - ROUNDER);
  /* (ln 2)^i / i!, from i = 6 down */
  float sum = 1.54035304e-4f;
  sum = sum * f + 1.33335581e-3f;
  sum = sum * f + 9.61812911e-3f;
  sum = sum * f + 5.55041087e-2f;
  sum = sum * f + 2.40226507e-1f;
  sum = sum * f + 6.93147181e-1f;
  sum = sum * f + 1.0f;
  const uint32_t n = bits_of(shifted) - bits_of(ROUNDER);
  const float power = sum * float_of((n + 127) << 23);
  return x < -87.0f ? 0.0f : power;
}

#endif

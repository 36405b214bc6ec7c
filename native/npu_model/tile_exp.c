/* e^x = 2^n · 2^f with n the nearest integer to x·log2(e) and |f| <= 1/2; 2^f by its Taylor polynomial of degree 6, whose
 * remainder (f ln 2)^7 / 7! is below 1.2e-7 of it. Plain multiplications and additions in F32: the same bits everywhere. */
#include "numbers.h"
#include "tiles.h"

#define LOG2_E 1.44269504f

/* (ln 2)^i / i! */
static const float TERMS[] = {1.54035304e-4f, 1.33335581e-3f, 9.61812911e-3f, 5.55041087e-2f, 2.40226507e-1f, 6.93147181e-1f, 1.0f};

/* Adding it to |t| < 2^22 leaves the nearest integer in the last bits. */
#define ROUNDER 12582912.0f

float tile_exp(float x) {
  if (x != x) return canonical(x);
  if (x < -87.0f) return 0.0f;
  const float t = x * LOG2_E, shifted = t + ROUNDER, f = t - (shifted - ROUNDER);
  float sum = TERMS[0];
  for (int i = 1; i < 7; i++) {
    const float product = sum * f;
    sum = product + TERMS[i];
  }
  const int32_t n = (int32_t)(bits_of(shifted) - bits_of(ROUNDER));
  return sum * float_of((uint32_t)(n + 127) << 23);
}

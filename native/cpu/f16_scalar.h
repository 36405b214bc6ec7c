/* F16 as values: what one operation leaves of a number. */
#ifndef SOTTO_F16_SCALAR_H
#define SOTTO_F16_SCALAR_H

#include <math.h>

#define F16_MOST 65504.0

/* The nearest F16, ties to even; ±infinity from 65520 on. */
static inline float f16_nearest(double x) {
  if (x == 0) return (float)x;
  int exponent;
  frexp(x, &exponent); /* |x| in [2^(exponent − 1), 2^exponent) */
  const int lowest = (exponent - 1 < -14 ? -14 : exponent - 1) - 10;
  const double nearest = ldexp(rint(ldexp(x, -lowest)), lowest);
  return (float)(fabs(nearest) > F16_MOST ? copysign(INFINITY, nearest) : nearest);
}

/* An operand: beyond the range, its end. */
static inline float f16_operand(float x) { return f16_nearest(fmin(fmax(x, -F16_MOST), F16_MOST)); }

/* a · b + c of F16, rounded once: the sum is exact in double unless c is beyond all its bits. */
static inline float f16_multiply_add(float a, float b, float c) { return f16_nearest((double)a * b + c); }

#endif

/* exp2 and GELU of a vector, each also as exact as 16-bit numbers need. */
#ifndef SOTTO_LANES_FUNCTIONS_H
#define SOTTO_LANES_FUNCTIONS_H

/* 2^x = 2^n · 2^f for finite x < 127, n = round(x), |f| ≤ ½; 2^f by the polynomial of degree 5 whose largest relative error is
 * smallest (7.5e-8; with the roundings of its evaluation 2e-7). Below −126 something from 0 to 2^-125, as lanes_scale has it. */
static inline lanes lanes_exp2_normal(lanes x) {
  const lanes n = lanes_round(x), f = lanes_sub(x, n);
  lanes p = lanes_set(0x1.5c083ep-10f);
  p = lanes_fma(p, f, lanes_set(0x1.3d0c42p-7f));
  p = lanes_fma(p, f, lanes_set(0x1.c6b6e6p-5f));
  p = lanes_fma(p, f, lanes_set(0x1.ebf918p-3f));
  p = lanes_fma(p, f, lanes_set(0x1.62e428p-1f));
  p = lanes_fma(p, f, lanes_set(0x1.000002p+0f));
  return lanes_scale(p, n);
}

/* The same, and 0 below −126, where the result leaves the normal range. */
static inline lanes lanes_exp2(lanes x) { return lanes_zero_below(x, -126.0f, lanes_exp2_normal(x)); }

/* lanes_exp2_normal where what follows is rounded to BF16: the polynomial of degree 3, relative error 7.5e-5. */
static inline lanes lanes_exp2_coarse(lanes x) {
  const lanes n = lanes_round(x), f = lanes_sub(x, n);
  lanes p = lanes_set(0x1.c3f762p-5f);
  p = lanes_fma(p, f, lanes_set(0x1.f0de1ap-3f));
  p = lanes_fma(p, f, lanes_set(0x1.62f31ap-1f));
  p = lanes_fma(p, f, lanes_set(0x1.fff692p-1f));
  return lanes_scale(p, n);
}

/* 255 · 2^x, for what is rounded to a code of 8 bits, as exact as lanes_exp2_coarse: its polynomial on 0…1. */
static inline lanes lanes_exp2_255(lanes x) {
  const lanes f = lanes_fraction(x);
  lanes p = lanes_set(255 * 0x1.3f96a6p-4f);
  p = lanes_fma(p, f, lanes_set(255 * 0x1.cefc4cp-3f));
  p = lanes_fma(p, f, lanes_set(255 * 0x1.64444ap-1f));
  p = lanes_fma(p, f, lanes_set(255 * 0x1.fff632p-1f));
  return lanes_scale_whole(p, x);
}

/* gelu(x) = x · Φ(x) = max(x, 0) − |x| · Φ(−|x|), with Φ the normal distribution, and Φ(−a) = 2^p(a).
 *
 * p, of degree 8, approximates log2 Φ(−a) on 0…6, weighted so that the largest absolute error of Φ is smallest
 * (7.5e-9); beyond 6 it falls faster than log2 Φ does, and |x| · Φ is below 1e-8 anyway. No division, no case for the
 * sign, and no cancellation below 0: the error stays under 2e-8 · |x| plus the rounding of the result. */
static inline lanes lanes_gelu(lanes x) {
  const lanes a = lanes_abs(x);
  lanes p = lanes_set(-2.77228658e-06f);
  p = lanes_fma(p, a, lanes_set(3.86236815e-05f));
  p = lanes_fma(p, a, lanes_set(-1.82562185e-04f));
  p = lanes_fma(p, a, lanes_set(-1.45832617e-04f));
  p = lanes_fma(p, a, lanes_set(7.07541819e-03f));
  p = lanes_fma(p, a, lanes_set(-5.25049864e-02f));
  p = lanes_fma(p, a, lanes_set(-4.59204925e-01f));
  p = lanes_fma(p, a, lanes_set(-1.15110572f));
  p = lanes_fma(p, a, lanes_set(-9.99999978e-01f));
  return lanes_fnma(a, lanes_exp2_normal(lanes_max(p, lanes_set(-126.0f))), lanes_max(x, lanes_zero()));
}

/* The same where the product before it is rounded to 16 bits or less: p of degree 5 (4e-7 of |x| · Φ, the largest), and the
 * coarse exponential; within 1.5e-5, in half of the time. */
static inline lanes lanes_gelu_coarse(lanes x) {
  const lanes a = lanes_abs(x);
  lanes p = lanes_set(-4.73293893e-04f);
  p = lanes_fma(p, a, lanes_set(7.08445949e-03f));
  p = lanes_fma(p, a, lanes_set(-5.18271619e-02f));
  p = lanes_fma(p, a, lanes_set(-4.59992656e-01f));
  p = lanes_fma(p, a, lanes_set(-1.15078776f));
  p = lanes_fma(p, a, lanes_set(-1.00003763f));
  return lanes_fnma(a, lanes_exp2_coarse(lanes_max(p, lanes_set(-126.0f))), lanes_max(x, lanes_zero()));
}

#endif

// e^x for x ≤ 0, a vector at a time: 2^n · 2^f, n the nearest integer to x·log2(e), |f| ≤ 1/2, 2^f by its Taylor polynomial
// of degree 6 (its remainder is below 1.2e-7 of it). 0 below -87. The same steps as native/npu_model/tile_exp.h.
#ifndef SOTTO_EXPONENTIAL_H
#define SOTTO_EXPONENTIAL_H

#include <aie_api/aie.hpp>

template <unsigned N>
inline aie::vector<float, N> times(const aie::vector<float, N> &a, const aie::vector<float, N> &b) {
  return aie::mul(a, b).template to_vector<float>();
}

template <unsigned N>
inline aie::vector<float, N> exponential(const aie::vector<float, N> &x) {
  using Vector = aie::vector<float, N>;
  const auto all = [](float value) { return aie::broadcast<float, N>(value); };
  // Adding it to |t| < 2^22 leaves the nearest integer in the last bits.
  const Vector rounder = all(12582912.0f);
  const Vector t = times(x, all(1.44269504f));
  const Vector shifted = aie::add(t, rounder);
  const Vector f = aie::sub(t, aie::sub(shifted, rounder));
  // (ln 2)^i / i!, from i = 6 down
  constexpr float coefficients[] = {1.54035304e-4f, 1.33335581e-3f, 9.61812911e-3f, 5.55041087e-2f,
                                    2.40226507e-1f, 6.93147181e-1f, 1.0f};
  Vector sum = all(coefficients[0]);
  for (unsigned i = 1; i < 7; i++) sum = aie::add(times(sum, f), all(coefficients[i]));
  const auto n = aie::sub(shifted.template cast_to<int32>(), rounder.template cast_to<int32>());
  const auto power = aie::upshift(aie::add(n, aie::broadcast<int32, N>(127)), 23);
  const Vector result = times(sum, power.template cast_to<float>());
  return aie::select(result, aie::zeros<float, N>(), aie::lt(x, all(-87.0f)));
}

#endif

/* softmax: x[i] ← exp(scale · x[i] − max), i < n, where max is the largest scale · x[i]; answers the sum of the
 * results, by which the caller divides what it computes from them. scale > 0, n ≥ 1, x finite.
 *
 * exp(x) = 2^n · exp(r), n = round(x / ln 2), r = x − n · ln 2 in two parts, |r| ≤ ln 2 / 2. exp(r) by its Taylor
 * series up to r^6 / 720, whose rest is below 1.3e-7 of the result (relative error in all ≤ 3e-7); below −87, where
 * the result leaves the normal range, it is 0.
 *
 * Included by <isa>/softmax.c after its lanes.h. */

static inline lanes exp_of(lanes x) {
  const lanes n = lanes_round(lanes_mul(lanes_max(x, lanes_set(-87.0f)), lanes_set(1.44269504f)));
  lanes r = lanes_fnma(n, lanes_set(0.693359375f), lanes_max(x, lanes_set(-87.0f)));
  r = lanes_fnma(n, lanes_set(-2.12194440e-4f), r);
  lanes p = lanes_set(1.0f / 720);
  p = lanes_fma(p, r, lanes_set(1.0f / 120));
  p = lanes_fma(p, r, lanes_set(1.0f / 24));
  p = lanes_fma(p, r, lanes_set(1.0f / 6));
  p = lanes_fma(p, r, lanes_set(0.5f));
  p = lanes_fma(p, r, lanes_set(1.0f));
  p = lanes_fma(p, r, lanes_set(1.0f));
  return lanes_zero_below(x, -87.0f, lanes_scale(p, n));
}

float LANES_KERNEL(softmax_f32)(float *x, int64_t n, float scale) {
  const int64_t whole = n / LANES * LANES, rest = n - whole;
  lanes largest = lanes_set(x[0]);
  for (int64_t i = 0; i < whole; i += LANES) largest = lanes_max(largest, lanes_load(x + i));
  float max = lanes_max_of(largest);
  for (int64_t i = whole; i < n; i++) max = x[i] > max ? x[i] : max;
  const lanes factor = lanes_set(scale), offset = lanes_set(-max * scale);
  lanes sum = lanes_zero();
  for (int64_t i = 0; i < whole; i += LANES) {
    const lanes value = exp_of(lanes_fma(lanes_load(x + i), factor, offset));
    lanes_store(x + i, value);
    sum = lanes_add(sum, value);
  }
  if (rest == 0) return lanes_sum_of(sum);
  lanes_store_first(x + whole, rest, exp_of(lanes_fma(lanes_load_first(x + whole, rest), factor, offset)));
  return lanes_sum_of(lanes_add(sum, lanes_load_first(x + whole, rest)));
}

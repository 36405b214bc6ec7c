/* Log-mel power of LANES frames at a time, one frame in each lane, so that every step is the same for all.
 *
 * 1. z[n] = windowed x[2n] + i · windowed x[2n+1], n < 200.
 * 2. Z = Fourier transform of z: 200 = 5 · 5 · 8, each stage from one array into the other and in order at the end
 *    (Stockham): stage (radix r, span m = length / r, stride s) takes input q + s·(p + m·j), j < r, to output
 *    q + s·(r·p + j) times e^(−2πi·p·j / length).
 * 3. X[k] = ½(Z[k] + Z*[200−k]) − ½i · e^(−2πik/400) · (Z[k] − Z*[200−k]); power = |X|².
 * 4. Each filter over its bins, then log10.
 *
 * Against the definition in double precision the power is right to about 1e-7 of the frame's largest.
 * Included by <isa>/mel.c after its lanes.h. */
#include "../mel.h"

typedef struct {
  lanes re, im;
} complex_lanes;

static inline complex_lanes complex_add(complex_lanes a, complex_lanes b) {
  return (complex_lanes){lanes_add(a.re, b.re), lanes_add(a.im, b.im)};
}
static inline complex_lanes complex_sub(complex_lanes a, complex_lanes b) {
  return (complex_lanes){lanes_sub(a.re, b.re), lanes_sub(a.im, b.im)};
}
/* −i · a */
static inline complex_lanes complex_turn(complex_lanes a) {
  return (complex_lanes){a.im, lanes_sub(lanes_zero(), a.re)};
}
static inline complex_lanes complex_scale(complex_lanes a, float s) {
  return (complex_lanes){lanes_mul(a.re, lanes_set(s)), lanes_mul(a.im, lanes_set(s))};
}
/* a + s·b */
static inline complex_lanes complex_fma(complex_lanes a, float s, complex_lanes b) {
  return (complex_lanes){lanes_fma(b.re, lanes_set(s), a.re), lanes_fma(b.im, lanes_set(s), a.im)};
}
static inline complex_lanes complex_mul(complex_lanes a, float re, float im) {
  const lanes c = lanes_set(re), s = lanes_set(im);
  return (complex_lanes){lanes_fnma(a.im, s, lanes_mul(a.re, c)), lanes_fma(a.im, c, lanes_mul(a.re, s))};
}

/* Five points: pairs (1, 4) and (2, 3) by their sums and differences; cos and sin of 72° and 144°. */
static inline void butterfly5(const complex_lanes in[5], complex_lanes out[5]) {
  const float c1 = 0.309016994374947424f, c2 = -0.809016994374947424f;
  const float s1 = 0.951056516295153572f, s2 = 0.587785252292473129f;
  const complex_lanes sum1 = complex_add(in[1], in[4]), sum2 = complex_add(in[2], in[3]);
  const complex_lanes dif1 = complex_sub(in[1], in[4]), dif2 = complex_sub(in[2], in[3]);
  const complex_lanes even1 = complex_fma(complex_fma(in[0], c1, sum1), c2, sum2);
  const complex_lanes even2 = complex_fma(complex_fma(in[0], c2, sum1), c1, sum2);
  const complex_lanes odd1 = complex_turn(complex_fma(complex_scale(dif1, s1), s2, dif2));
  const complex_lanes odd2 = complex_turn(complex_fma(complex_scale(dif1, s2), -s1, dif2));
  out[0] = complex_add(in[0], complex_add(sum1, sum2));
  out[1] = complex_add(even1, odd1);
  out[2] = complex_add(even2, odd2);
  out[3] = complex_sub(even2, odd2);
  out[4] = complex_sub(even1, odd1);
}

static inline void butterfly4(complex_lanes a, complex_lanes b, complex_lanes c, complex_lanes d,
                              complex_lanes out[4]) {
  const complex_lanes ac = complex_add(a, c), ac_ = complex_sub(a, c);
  const complex_lanes bd = complex_add(b, d), bd_ = complex_turn(complex_sub(b, d));
  out[0] = complex_add(ac, bd);
  out[1] = complex_add(ac_, bd_);
  out[2] = complex_sub(ac, bd);
  out[3] = complex_sub(ac_, bd_);
}

/* Eight points: four even and four odd ones, joined by the eighth roots of 1. */
static inline void butterfly8(const complex_lanes in[8], complex_lanes out[8]) {
  const float h = 0.707106781186547524f;
  complex_lanes even[4], odd[4];
  butterfly4(in[0], in[2], in[4], in[6], even);
  butterfly4(in[1], in[3], in[5], in[7], odd);
  odd[1] = complex_mul(odd[1], h, -h);
  odd[2] = complex_turn(odd[2]);
  odd[3] = complex_mul(odd[3], -h, -h);
  for (int j = 0; j < 4; j++) {
    out[j] = complex_add(even[j], odd[j]);
    out[j + 4] = complex_sub(even[j], odd[j]);
  }
}

/* One stage of radix 5 (see 2. above). A root of the stage's length is a root of 400 with a larger step. */
static void stage5(const mel_tables *tables, int length, int stride, const complex_lanes *in, complex_lanes *out) {
  const int span = length / 5, step = MEL_WINDOW / length;
  for (int p = 0; p < span; p++)
    for (int q = 0; q < stride; q++) {
      complex_lanes points[5], results[5];
      for (int j = 0; j < 5; j++) points[j] = in[q + stride * (p + span * j)];
      butterfly5(points, results);
      complex_lanes *const target = out + q + stride * 5 * p;
      target[0] = results[0];
      for (int j = 1; j < 5; j++)
        target[stride * j] = complex_mul(results[j], tables->cosine[p * j * step], tables->sine[p * j * step]);
    }
}

/* The last stage: length 8, hence no factors. */
static void stage8(int stride, const complex_lanes *in, complex_lanes *out) {
  for (int q = 0; q < stride; q++) {
    complex_lanes points[8], results[8];
    for (int j = 0; j < 8; j++) points[j] = in[q + stride * j];
    butterfly8(points, results);
    for (int j = 0; j < 8; j++) out[q + stride * j] = results[j];
  }
}

/* Lane l takes the frame at samples + MEL_HOP · min(l, frames − 1). */
static void load_frames(const mel_tables *tables, const float *samples, int64_t frames, complex_lanes z[MEL_HALF]) {
  for (int l = 0; l < LANES; l++) {
    const float *const x = samples + (l < frames ? l : frames - 1) * MEL_HOP;
    float *const lane = (float *)z + l;
    for (int n = 0; n < MEL_WINDOW; n++) lane[n * LANES] = x[n] * tables->window[n];
  }
}

static void power_of(const mel_tables *tables, const complex_lanes Z[MEL_HALF], lanes power[MEL_BINS]) {
  for (int k = 0; k <= MEL_HALF; k++) {
    const complex_lanes a = Z[k % MEL_HALF], b = Z[(MEL_HALF - k) % MEL_HALF];
    const complex_lanes even = {lanes_add(a.re, b.re), lanes_sub(a.im, b.im)};
    const complex_lanes odd = {lanes_sub(a.re, b.re), lanes_add(a.im, b.im)};
    const complex_lanes x = complex_add(even, complex_turn(complex_mul(odd, tables->cosine[k], tables->sine[k])));
    power[k] = lanes_mul(lanes_set(0.25f), lanes_fma(x.re, x.re, lanes_mul(x.im, x.im)));
  }
}

/* log10(x) of normal x > 0: x = m · 2^e, m in [√½, √2), ln m = 2·artanh(s), s = (m − 1)/(m + 1), |s| ≤ 0.172, by its
 * series up to s^11 (rest below 1e-11). Error ≤ 3 units in the last place of the result, and ≤ 1e-7 near x = 1. */
static inline lanes log10_of(lanes x) {
  lanes m, e;
  lanes_split(x, &m, &e);
  const lanes one = lanes_set(1.0f);
  const lanes s = lanes_div(lanes_sub(m, one), lanes_add(m, one)), t = lanes_mul(s, s);
  lanes p = lanes_set(1.0f / 11);
  p = lanes_fma(p, t, lanes_set(1.0f / 9));
  p = lanes_fma(p, t, lanes_set(1.0f / 7));
  p = lanes_fma(p, t, lanes_set(1.0f / 5));
  p = lanes_fma(p, t, lanes_set(1.0f / 3));
  p = lanes_fma(p, t, one);
  return lanes_fma(e, lanes_set(0.301029996f), lanes_mul(lanes_mul(s, p), lanes_set(0.868588964f)));
}

void LANES_KERNEL(mel_f32)(const mel_tables *tables, const float *samples, int64_t frames, float *out) {
  complex_lanes here[MEL_HALF], there[MEL_HALF];
  lanes power[MEL_BINS];
  for (int64_t i = 0; i < frames; i += LANES) {
    const int64_t left = frames - i < LANES ? frames - i : LANES;
    load_frames(tables, samples + i * MEL_HOP, left, here);
    stage5(tables, 200, 1, here, there);
    stage5(tables, 40, 5, there, here);
    stage8(25, here, there);
    power_of(tables, there, power);
    for (int b = 0; b < tables->bands; b++) {
      const float *const filter = tables->filters + (int64_t)b * MEL_BINS;
      lanes mel = lanes_zero();
      for (int k = tables->first[b]; k < tables->end[b]; k++)
        mel = lanes_fma(lanes_set(filter[k]), power[k], mel);
      float values[LANES];
      lanes_store(values, log10_of(lanes_max(mel, lanes_set(MEL_FLOOR))));
      for (int64_t l = 0; l < left; l++) out[(i + l) * tables->bands + b] = values[l];
    }
  }
}

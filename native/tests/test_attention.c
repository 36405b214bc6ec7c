/* Attention of one head against the softmax written out in double precision. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "../cpu/format_scalar.h"
#include "../cpu/i8_group.h"
#include "kernel_check.h"

/* What the kernel under test rounds to. */
static enum { F32, BF16, I8 } arithmetic;

static double rounded(float x) { return f32_of_bf16(bf16_of_f32(x)); }

/* What codes and scale make of a row. */
static void round_row_i8(const float *row, int64_t width, double *out) {
  float largest = 0;
  for (int64_t d = 0; d < width; d++) largest = fmaxf(largest, fabsf(row[d]));
  for (int64_t d = 0; d < width; d++) out[d] = (double)i8_code(row[d], i8_factor(largest)) * i8_scale(largest);
}

/* A query divided by √D, and a key, as the kernel rounds them. */
static void round_query(const float *row, int64_t width, double *out) {
  const float factor = 1.44269504088896341f / sqrtf((float)width);
  if (arithmetic == I8) round_row_i8(row, width, out);
  for (int64_t d = 0; d < width; d++)
    out[d] = arithmetic == BF16 ? rounded(row[d] * factor) * 0.69314718055994530942 : (arithmetic == I8 ? out[d] : row[d]) / sqrt((double)width);
}

static void round_key(const float *row, int64_t width, double *out) {
  if (arithmetic == I8) {
    round_row_i8(row, width, out);
    return;
  }
  for (int64_t d = 0; d < width; d++) out[d] = arithmetic == BF16 ? rounded(row[d]) : row[d];
}

enum { MAX_WIDTH = 80 };

/* Weights 2^(score − largest), from scores in whatever unit `exp` takes, as the kernel rounds them: in INT8 each 64 keys'
 * to 255ths of their largest. `scores` [T] become weights; answers their sum before they were rounded. */
static double weigh(double *scores, int64_t T) {
  double largest = -INFINITY, sum = 0;
  for (int64_t t = 0; t < T; t++) largest = fmax(largest, scores[t]);
  for (int64_t first = 0; first < T; first += I8_GROUP) {
    const int64_t end = first + I8_GROUP < T ? first + I8_GROUP : T;
    double here = -INFINITY;
    for (int64_t t = first; t < end; t++) here = fmax(here, scores[t]);
    for (int64_t t = first; t < end; t++) {
      sum += exp(scores[t] - largest);
      scores[t] = arithmetic == I8 ? rint(255 * exp(scores[t] - here)) / 255 * exp(here - largest) : exp(scores[t] - largest);
    }
  }
  return sum;
}

/* Value `t` of a column, as the kernel rounds it. */
static double round_value(const float *column, int64_t stride, int64_t t, int64_t T) {
  if (arithmetic == F32) return column[t * stride];
  if (arithmetic == BF16) return rounded(column[t * stride]);
  const int64_t first = t / I8_GROUP * I8_GROUP, end = first + I8_GROUP < T ? first + I8_GROUP : T;
  float largest = 0;
  for (int64_t i = first; i < end; i++) largest = fmaxf(largest, fabsf(column[i * stride]));
  return (double)i8_code(column[t * stride], i8_factor(largest)) * i8_scale(largest);
}

typedef struct {
  int64_t T, width;
  double scale;                                      /* of queries and keys: large ones give nearly one-hot weights */
  enum { ANY_ORDER, RISING, FALLING, ZERO, LOW_FIRST, HIGH_VALUES } scores; /* see fill_head */
  int64_t queries;                                   /* of T, spread over it */
} attention_case;

/* Rising: to 40 · scale, so every panel of keys brings a new maximum. Low first: half of the keys far below the others, and
 * the last one far above. High values: they and a late rise of the scores, to 40 · scale, are large, what they give is no larger than they. */
static void fill_extremes(const attention_case *c, int64_t t, int64_t d, float *q, float *k, float *v) {
  const int is_late = t >= c->T / 2;
  *q = *k = 0;
  *v = (float)random_uniform() * (c->scores == HIGH_VALUES ? 1e30f : 1);
  if (d > 0) return;
  *q = c->scores == HIGH_VALUES ? 8 : 1e15f;
  *k = c->scores == HIGH_VALUES ? (is_late ? 40 * (float)c->scale : 0) : !is_late ? -1e15f : t == c->T - 1 ? 1e15f : 0;
}

static void fill_head(const attention_case *c, float *qkv, int64_t stride) {
  for (int64_t t = 0; t < c->T; t++)
    for (int64_t d = 0; d < c->width; d++) {
      if (c->scores >= LOW_FIRST) {
        float *const at = qkv + t * stride + d;
        fill_extremes(c, t, d, at, at + c->width, at + 2 * c->width);
        continue;
      }
      const double slope = c->scores == RISING ? (double)t : (double)(c->T - t);
      double q = random_uniform() * c->scale, k = random_uniform() * c->scale;
      if (c->scores == RISING || c->scores == FALLING) q = 1, k = slope / (double)c->T * 40 * c->scale / sqrt((double)c->width);
      if (c->scores == ZERO) q = 0;
      qkv[t * stride + d] = (float)q;
      qkv[t * stride + c->width + d] = (float)k;
      qkv[t * stride + 2 * c->width + d] = (float)random_uniform();
    }
}

static void compare_query(kernel_check *check, const attention_case *c, const float *qkv, int64_t stride, int64_t query,
                          const float *got, double *weights) {
  double score = 0, q[MAX_WIDTH], k[MAX_WIDTH];
  round_query(qkv + query * stride, c->width, q);
  for (int64_t t = 0; t < c->T; t++) {
    round_key(qkv + t * stride + c->width, c->width, k);
    double dot = 0, magnitude = 0;
    for (int64_t d = 0; d < c->width; d++) {
      dot += q[d] * k[d];
      magnitude += fabs(q[d] * k[d]);
    }
    weights[t] = dot;
    if (c->scores != LOW_FIRST) score = fmax(score, magnitude); /* there one weight is 1 and the others 0 */
  }
  const double sum = weigh(weights, c->T);
  for (int64_t d = 0; d < c->width; d++) {
    double want = 0, most = 0;
    for (int64_t t = 0; t < c->T; t++) {
      const double value = round_value(qkv + 2 * c->width + d, stride, t, c->T);
      want += weights[t] / sum * value;
      most = fmax(most, fabs(value));
    }
    const double tolerance = arithmetic == F32 ? TOLERANCE_ATTENTION(most, score) : TOLERANCE_ATTENTION_HALF(most, score);
    check_close(check, got[d], want, tolerance,
                "T %lld, width %lld, scale %g, order %d, query %lld, column %lld", (long long)c->T, (long long)c->width,
                c->scale, (int)c->scores, (long long)query, (long long)d);
  }
}

static void test_case(kernel_check *check, attention_kernel *kernel, attention_case c) {
  const int64_t stride = 3 * c.width, panels = (c.T + kernel->key_panel - 1) / kernel->key_panel;
  float *qkv = guarded_floats(c.T * stride, 1), *out = guarded_floats(c.T * c.width, 1);
  float *packed = guarded_floats((int64_t)kernel->packed_floats(c.T, c.width), 0);
  float *scratch = guarded_floats((int64_t)kernel->scratch_floats(c.T, c.width), 0);
  double *weights = malloc((size_t)c.T * sizeof *weights);
  fill_head(&c, qkv, stride);
  /* In two pieces, as two threads would. */
  kernel->pack(qkv + c.width, qkv + 2 * c.width, stride, c.T, c.width, panels / 2, panels, packed);
  kernel->pack(qkv + c.width, qkv + 2 * c.width, stride, c.T, c.width, 0, panels / 2, packed);
  const int64_t tiles = (c.T + kernel->query_tile - 1) / kernel->query_tile;
  const int64_t wanted = (c.queries + kernel->query_tile - 1) / kernel->query_tile;
  const int64_t step = tiles > wanted && wanted > 1 ? (tiles - 1) / (wanted - 1) : 1;
  for (int64_t tile = 0; tile < tiles; tile += step > 0 ? step : 1) {
    const int64_t t = tile * kernel->query_tile;
    const int count = (int)(c.T - t < kernel->query_tile ? c.T - t : kernel->query_tile);
    kernel->attend(qkv + t * stride, stride, count, packed, c.T, c.width, out + t * c.width, c.width, scratch);
    for (int i = 0; i < count; i++) compare_query(check, &c, qkv, stride, t + i, out + (t + i) * c.width, weights);
  }
  free(weights);
  guarded_free(check, qkv);
  guarded_free(check, out);
  guarded_free(check, packed);
  guarded_free(check, scratch);
}

static void test_kernel(kernel_check *check, attention_kernel *kernel) {
  const int64_t q = kernel->query_tile, p = kernel->key_panel;
  const int64_t lengths[] = {1, 2, q + 1, p - 1, p, p + 1, 3 * p + 5};
  const int64_t widths[] = {1, 7, 16, 33, 64, 80};
  for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
    for (size_t j = 0; j < sizeof widths / sizeof *widths; j++) {
      test_case(check, kernel, (attention_case){lengths[i], widths[j], 1, ANY_ORDER, lengths[i]});
      test_case(check, kernel, (attention_case){lengths[i], widths[j], 6, ANY_ORDER, lengths[i]});
    }
  /* Around the blocks of keys, and a whole window. */
  const int64_t blocks[] = {511, 512, 513, 1025, 1500};
  for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
    test_case(check, kernel, (attention_case){blocks[i], 64, 2, ANY_ORDER, 3 * q});
    test_case(check, kernel, (attention_case){blocks[i], 64, 1, RISING, 3 * q});
    test_case(check, kernel, (attention_case){blocks[i], 64, 4, RISING, 3 * q});
    test_case(check, kernel, (attention_case){blocks[i], 64, 1, FALLING, 3 * q});
    test_case(check, kernel, (attention_case){blocks[i], 64, 1, ZERO, 3 * q});
    test_case(check, kernel, (attention_case){blocks[i], 64, 1, LOW_FIRST, 3 * q});
    test_case(check, kernel, (attention_case){blocks[i], 64, 1, HIGH_VALUES, 3 * q});
    test_case(check, kernel, (attention_case){blocks[i], 64, 0.27, HIGH_VALUES, 3 * q}); /* 2^15.6 */
  }
}

void test_attention_f32(kernel_check *check, attention_kernel *kernel) {
  arithmetic = F32;
  test_kernel(check, kernel);
}

void test_attention_bf16(kernel_check *check, attention_kernel *kernel) {
  arithmetic = BF16;
  test_kernel(check, kernel);
}

void test_attention_i8(kernel_check *check, attention_kernel *kernel) {
  arithmetic = I8;
  test_kernel(check, kernel);
}

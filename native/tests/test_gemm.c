/* Products through the driver of gemm.c, so that tiles, panels, blocks of K and the split over threads are all in it. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../cpu/format_scalar.h"
#include "../cpu/gemm.h"
#include "../cpu/f16_run.h"
#include "../cpu/f16_scalar.h"
#include "../cpu/i8_group.h"
#include "../cpu/memory.h"
#include "kernel_check.h"

/* What the product under test rounds its operands to. */
static enum { F32, BF16, F16, I8 } arithmetic;

typedef struct {
  double sum, magnitude;
} dot_product;

static float operand(float x) { return arithmetic == BF16 ? f32_of_bf16(bf16_of_f32(x)) : x; }

/* Σ a·b of operands rounded as the kernel under test does. */
static dot_product dot_of(const float *a, const float *b, int64_t K) {
  dot_product dot = {0, 0};
  for (int64_t k = 0; k < K && arithmetic == F16; k += 2 * F16_RUN) {
    float sums[2] = {0, 0}; /* of even and odd k */
    for (int64_t i = k; i < K && i < k + 2 * F16_RUN; i++)
      sums[i % 2] = f16_multiply_add(f16_operand(a[i]), f16_operand(b[i]), sums[i % 2]);
    dot.sum += (double)sums[0] + sums[1];
    dot.magnitude += fabs((double)sums[0]) + fabs((double)sums[1]);
  }
  for (int64_t k = 0; k < K && (arithmetic == F32 || arithmetic == BF16); k++) {
    const double term = (double)operand(a[k]) * operand(b[k]);
    dot.sum += term;
    dot.magnitude += fabs(term);
  }
  for (int64_t k = 0; k < K && arithmetic == I8; k += I8_GROUP) {
    int8_t left[I8_GROUP], right[I8_GROUP];
    const int64_t count = K - k < I8_GROUP ? K - k : I8_GROUP;
    const double scales = (double)i8_quantize(a + k, count, left) * i8_quantize(b + k, count, right);
    int64_t whole = 0;
    for (int i = 0; i < I8_GROUP; i++) whole += left[i] * right[i];
    dot.sum += (double)whole * scales;
    dot.magnitude += fabs((double)whole * scales);
  }
  return dot;
}

static double tolerance_of_dot(int64_t K, double magnitude) {
  if (arithmetic == I8 || arithmetic == F16) return TOLERANCE_GROUPS(K, magnitude);
  /* Instructions for BF16 take subnormal operands for 0. */
  return TOLERANCE_SUM(K, magnitude) + (arithmetic == BF16 ? (double)K * SMALLEST : 0);
}

typedef struct {
  int64_t m, n, k;
  int has_bias, is_gelu;
  enum { NO_ADDEND, OTHER_ADDEND, OWN_ADDEND } addend;
  int parts; /* threads to split for */
} product_case;

static gemm_weights pack_weights(gemm_kernel *kernel, const float *b, int64_t n, int64_t k, const float *bias) {
  gemm_weights weights = {.n = n, .k = k, .panels = memory_allocate(gemm_panels_bytes(kernel, n, k))};
  for (int64_t first = 0; first < n; first += kernel->nr)
    kernel->pack_panel(b + first * k, k, (int)(n - first < kernel->nr ? n - first : kernel->nr), k,
                       gemm_panel(kernel, &weights, first / kernel->nr));
  weights.bias = bias;
  return weights;
}

/* All parts, one after the other: what each does must not depend on the others. */
static void run_parts(gemm_product *product, int parts) {
  product->scratch_stride = gemm_scratch_bytes(product->kernel, product->b->k, product->to.kernel);
  product->scratch = memory_allocate(product->scratch_stride * (size_t)parts);
  for (int part = 0; part < parts; part++) gemm_part(product, part, parts);
  memory_free(product->scratch);
}

/* act(Σ a·b + bias) + addend within the tolerance of its steps; GELU's slope is at most 1.13. */
static void compare(kernel_check *check, double got, double sum, double magnitude, double bias, int is_gelu,
                    double addend, int64_t k, const char *label, int64_t r, int64_t c) {
  const double before = sum + bias, value = is_gelu ? gelu_of(before) : before;
  double tolerance = (tolerance_of_dot(k + 1, magnitude) + 2 * ROUNDING * fabs(before)) * (is_gelu ? 1.13 : 1);
  if (is_gelu) tolerance += TOLERANCE_GELU(fabs(before), fabs(value)) + (arithmetic == F32 ? 0 : TOLERANCE_GELU_COARSE);
  tolerance += ROUNDING * (fabs(value) + fabs(addend));
  check_close(check, got, value + addend, tolerance, "%s, row %lld, column %lld", label, (long long)r, (long long)c);
}

static void test_product(kernel_check *check, gemm_kernel *kernel, product_case c, fill_mode mode) {
  char label[160];
  snprintf(label, sizeof label, "M %lld, N %lld, K %lld, %s%s%s, addend %d, %d parts", (long long)c.m, (long long)c.n,
           (long long)c.k, fill_name(mode), c.has_bias ? ", bias" : "", c.is_gelu ? ", gelu" : "", (int)c.addend,
           c.parts);
  const int64_t padded = (int64_t)round_up((size_t)c.n, (size_t)kernel->nr);
  float *a = guarded_floats(c.m * c.k, 1), *b = guarded_floats(c.n * c.k, 1), *bias = guarded_floats(padded, 0);
  float *out = guarded_floats(c.m * c.n, 1), *addend = guarded_floats(c.m * c.n, 1);
  fill(a, c.m, c.k, mode);
  fill(b, c.n, c.k, mode == FILL_SUBNORMAL ? FILL_RANDOM : mode);
  fill(bias, 1, c.n, FILL_RANDOM);
  fill(addend, c.m, c.n, FILL_RANDOM);
  if (c.addend == OWN_ADDEND) memcpy(out, addend, (size_t)(c.m * c.n) * sizeof *out);

  gemm_weights weights = pack_weights(kernel, b, c.n, c.k, c.has_bias ? bias : NULL);
  gemm_product product = {
      .kernel = kernel,
      .a = {.data = a, .offset = 0, .stride = c.k, .length = c.m * c.k},
      .m = c.m,
      .b = &weights,
      .out = out,
      .out_stride = c.n,
      .addend = c.addend == OWN_ADDEND ? out : c.addend == OTHER_ADDEND ? addend : NULL,
      .addend_stride = c.n,
      .is_gelu = c.is_gelu,
  };
  run_parts(&product, c.parts);
  for (int64_t r = 0; r < c.m; r++)
    for (int64_t n = 0; n < c.n; n++) {
      const dot_product dot = dot_of(a + r * c.k, b + n * c.k, c.k);
      compare(check, out[r * c.n + n], dot.sum, dot.magnitude, c.has_bias ? bias[n] : 0, c.is_gelu,
              c.addend == NO_ADDEND ? 0 : addend[r * c.n + n], c.k, label, r, n);
    }
  memory_free(weights.panels);
  guarded_free(check, a);
  guarded_free(check, b);
  guarded_free(check, bias);
  guarded_free(check, out);
  guarded_free(check, addend);
}

/* A convolution of 3 taps is a product over overlapping rows; frames outside are 0. */
static void test_convolution(kernel_check *check, gemm_kernel *kernel, int64_t frames, int64_t channels, int64_t n,
                             int64_t stride) {
  char label[120];
  snprintf(label, sizeof label, "convolution of %lld frames × %lld, stride %lld", (long long)frames, (long long)channels,
           (long long)stride);
  const int64_t frames_out = (frames - 1) / stride + 1, k = 3 * channels;
  float *rows = guarded_floats(frames_out * k, 0); /* the product's left operand, written out */
  float *in = guarded_floats(frames * channels, 0), *b = guarded_floats(n * k, 0), *out = guarded_floats(frames_out * n, 0);
  fill(in, frames, channels, FILL_RANDOM);
  fill(b, n, k, FILL_RANDOM);
  gemm_weights weights = pack_weights(kernel, b, n, k, NULL);
  gemm_product product = {
      .kernel = kernel,
      .a = {.data = in, .offset = -channels, .stride = stride * channels, .length = frames * channels},
      .m = frames_out,
      .b = &weights,
      .out = out,
      .out_stride = n,
      .is_gelu = 1,
  };
  run_parts(&product, 2);
  for (int64_t t = 0; t < frames_out; t++)
    for (int64_t tap = 0; tap < 3; tap++) {
      const int64_t frame = t * stride + tap - 1;
      if (frame < 0 || frame >= frames) continue;
      memcpy(rows + t * k + tap * channels, in + frame * channels, (size_t)channels * sizeof *rows);
    }
  for (int64_t t = 0; t < frames_out; t++)
    for (int64_t o = 0; o < n; o++) {
      const dot_product dot = dot_of(rows + t * k, b + o * k, k);
      compare(check, out[t * n + o], dot.sum, dot.magnitude, 0, 1, 0, k, label, t, o);
    }
  guarded_free(check, rows);
  memory_free(weights.panels);
  guarded_free(check, in);
  guarded_free(check, b);
  guarded_free(check, out);
}

/* However many threads share a product, each value is computed alike. */
static void test_split(kernel_check *check, gemm_kernel *kernel) {
  const int64_t m = 3 * kernel->mr + 1, n = 5 * kernel->nr + 3, k = kernel->kc + 7;
  float *a = guarded_floats(m * k, 0), *b = guarded_floats(n * k, 0);
  float *alone = guarded_floats(m * n, 0), *shared = guarded_floats(m * n, 0);
  fill(a, m, k, FILL_RANDOM);
  fill(b, n, k, FILL_RANDOM);
  gemm_weights weights = pack_weights(kernel, b, n, k, NULL);
  gemm_product product = {.kernel = kernel, .a = {a, 0, k, m * k}, .m = m, .b = &weights, .out = alone, .out_stride = n};
  run_parts(&product, 1);
  product.out = shared;
  for (int parts = 2; parts <= 64; parts += parts < 8 ? 1 : 28) {
    memset(shared, 0, (size_t)(m * n) * sizeof *shared);
    run_parts(&product, parts);
    check_true(check, memcmp(alone, shared, (size_t)(m * n) * sizeof *shared) == 0, "the same bits from %d parts", parts);
  }
  memory_free(weights.panels);
  guarded_free(check, a);
  guarded_free(check, b);
  guarded_free(check, alone);
  guarded_free(check, shared);
}

/* Packing writes a tile and a panel, zeros where rows are missing, and nothing behind them. */
static void test_packing(kernel_check *check, gemm_kernel *kernel, int64_t depth, int missing) {
  const int rows = kernel->mr - missing, columns = kernel->nr - missing;
  const int64_t granules = (depth + kernel->k_step - 1) / kernel->k_step;
  float *a = guarded_floats(rows * depth, 1), *b = guarded_floats(columns * depth, 1);
  float *tile = guarded_floats(granules * kernel->a_step_bytes / (int64_t)sizeof(float), 0);
  float *panel = guarded_floats(granules * kernel->b_step_bytes / (int64_t)sizeof(float), 0);
  fill(a, rows, depth, FILL_RANDOM);
  fill(b, columns, depth, FILL_RANDOM);
  kernel->pack_tile(&(gemm_rows){a, 0, depth, rows * depth}, 0, rows, 0, depth, tile);
  kernel->pack_panel(b, depth, columns, depth, panel);
  /* The layout of F32 is simple enough to be compared; the others show in products. */
  for (int64_t k = 0; k < depth && arithmetic == F32; k++) {
    for (int r = 0; r < kernel->mr; r++)
      check_close(check, tile[k * kernel->mr + r], r < rows ? a[r * depth + k] : 0, 0, "tile of depth %lld", (long long)depth);
    for (int n = 0; n < kernel->nr; n++)
      check_close(check, panel[k * kernel->nr + n], n < columns ? b[n * depth + k] : 0, 0, "panel of depth %lld", (long long)depth);
  }
  guarded_free(check, a);
  guarded_free(check, b);
  guarded_free(check, tile);
  guarded_free(check, panel);
}

/* Two products, one behind the other: what the first writes as tiles of the second gives the bits that its rows give. */
static void test_tiles(kernel_check *check, gemm_kernel *kernel, int64_t m, int64_t k, int64_t middle, int64_t n, int parts) {
  const int64_t tiles = (m + kernel->mr - 1) / kernel->mr;
  float *a = guarded_floats(m * k, 1), *b = guarded_floats(middle * k, 1), *c = guarded_floats(n * middle, 1);
  float *between = guarded_floats(m * middle, 1), *want = guarded_floats(m * n, 1), *got = guarded_floats(m * n, 1);
  float *packed = guarded_floats(tiles * (int64_t)gemm_tile_bytes(kernel, middle) / (int64_t)sizeof(float), 0);
  fill(a, m, k, FILL_RANDOM);
  fill(b, middle, k, FILL_RANDOM);
  fill(c, n, middle, FILL_RANDOM);
  gemm_weights first_weights = pack_weights(kernel, b, middle, k, NULL), second_weights = pack_weights(kernel, c, n, middle, NULL);
  gemm_product first = {.kernel = kernel, .a = {a, 0, k, m * k}, .m = m, .b = &first_weights, .is_gelu = 1, .out = between, .out_stride = middle};
  gemm_product second = {.kernel = kernel, .a = {between, 0, middle, m * middle}, .m = m, .b = &second_weights, .out = want, .out_stride = n};
  run_parts(&first, 1);
  run_parts(&second, 1);
  first.to = (gemm_tiles){kernel, middle, packed};
  first.out = NULL;
  second.tiles = packed;
  second.a.data = NULL;
  second.out = got;
  run_parts(&first, parts);
  run_parts(&second, parts);
  for (int64_t i = 0; i < m * n; i++)
    check_close(check, got[i], want[i], 0, "tiles of %lld × %lld × %lld × %lld, %d parts, value %lld", (long long)m, (long long)k,
                (long long)middle, (long long)n, parts, (long long)i);
  memory_free(first_weights.panels);
  memory_free(second_weights.panels);
  guarded_free(check, a);
  guarded_free(check, b);
  guarded_free(check, c);
  guarded_free(check, between);
  guarded_free(check, want);
  guarded_free(check, got);
  guarded_free(check, packed);
}

/* Sizes astride tiles and those that wait together; units of columns and blocks of K. */
static void test_all_tiles(kernel_check *check, gemm_kernel *kernel) {
  const int64_t unit = gemm_unit_columns(kernel, kernel), kc = kernel->kc, mr = kernel->mr;
  const int64_t ms[] = {1, mr, mr + 1, 4 * mr, 9 * mr + 1}, middles[] = {1, unit - 1, unit, unit + 1, kc + 3 * unit - 5};
  int number = 0;
  for (size_t i = 0; i < sizeof ms / sizeof *ms; i++)
    for (size_t j = 0; j < sizeof middles / sizeof *middles; j++, number++)
      test_tiles(check, kernel, ms[i], number % 2 == 0 ? 33 : kc + 5, middles[j], kernel->nr + 3, 1 + number % 4);
}

static void test_products(kernel_check *check, gemm_kernel *kernel) {
  const int64_t mr = kernel->mr, nr = kernel->nr, kc = kernel->kc;
  const int64_t ms[] = {1, mr - 1, mr, mr + 1, 2 * mr + 1, gemm_block_rows(kernel, 2 * kc + 3) + mr + 1};
  const int64_t ns[] = {1, nr - 1, nr, nr + 1, 3 * nr - 5};
  const int64_t ks[] = {1, 2, 16, 17, kc - 1, kc, kc + 1, 2 * kc + 3};
  for (int64_t depth = 1; depth <= 50; depth++)
    for (int missing = 0; missing < 4; missing++) test_packing(check, kernel, depth, missing);
  int number = 0;
  for (size_t i = 0; i < sizeof ms / sizeof *ms; i++)
    for (size_t j = 0; j < sizeof ns / sizeof *ns; j++)
      for (size_t l = 0; l < sizeof ks / sizeof *ks; l++, number++) {
        /* Every size once, the options in turn: 2 · 2 · 3 · 5 of them, no two in step with the loops above. */
        const product_case c = {ms[i], ns[j], ks[l], number % 2, number / 2 % 2, number % 3, 1 + number % 5};
        test_product(check, kernel, c, FILL_RANDOM);
      }
  for (fill_mode mode = 0; mode < FILL_COUNT; mode++) {
    if (arithmetic == F16 && mode == FILL_LARGE) continue; /* beyond what its sums can hold */
    for (int options = 0; options < 4; options++)
      test_product(check, kernel, (product_case){2 * mr + 1, nr + 3, kc + 5, options % 2, options / 2, options % 3, 1}, mode);
  }
  const int64_t frames[] = {1, 2, 3, mr + 1, 4 * mr + 2}, channels[] = {1, 3, 17, 80};
  for (size_t i = 0; i < sizeof frames / sizeof *frames; i++)
    for (size_t j = 0; j < sizeof channels / sizeof *channels; j++)
      for (int64_t stride = 1; stride <= 2; stride++)
        test_convolution(check, kernel, frames[i], channels[j], nr + 1, stride);
  test_split(check, kernel);
  if (kernel->kc % gemm_unit_columns(kernel, kernel) == 0) test_all_tiles(check, kernel);
}

void test_gemm_f32(kernel_check *check, gemm_kernel *kernel) {
  arithmetic = F32;
  test_products(check, kernel);
}

void test_gemm_bf16(kernel_check *check, gemm_kernel *kernel) {
  arithmetic = BF16;
  test_products(check, kernel);
}

void test_gemm_f16(kernel_check *check, gemm_kernel *kernel) {
  arithmetic = F16;
  test_products(check, kernel);
}

void test_gemm_i8(kernel_check *check, gemm_kernel *kernel) {
  arithmetic = I8;
  test_products(check, kernel);
}

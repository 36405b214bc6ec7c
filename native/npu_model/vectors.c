/* Softmax, GELU and layer normalization of bf16 vectors, computed in F32 with sums in order and narrowed once. The tile
 * programs of seed_kernels are not published; these are the textbook formulas (GELU by its tanh form, layer
 * normalization without weights, epsilon 1e-5). */
#include <math.h>

#include "numbers.h"
#include "tile_exp.h"
#include "tiles.h"

void vector_softmax(const uint16_t *in, uint16_t *out, int length) {
  float highest = -INFINITY, total = 0.0f;
  for (int i = 0; i < length; i++) {
    const float x = bf16_decode(in[i]);
    if (x > highest || x != x) highest = x;
  }
  for (int i = 0; i < length; i++) total = total + tile_exp(bf16_decode(in[i]) - highest);
  for (int i = 0; i < length; i++) out[i] = bf16_encode(tile_exp(bf16_decode(in[i]) - highest) / total);
}

/* x / (1 + e^-2u) with u = sqrt(2/pi) · (x + 0.044715 x^3), the same as x/2 · (1 + tanh u). */
static float gelu(float x) {
  const float square = x * x, cube = square * x, term = 0.044715f * cube, inner = x + term, twice = 1.59576912f * inner;
  const float decay = tile_exp(twice < 0 ? twice : -twice), sum = 1.0f + decay;
  return twice < 0 ? x * decay / sum : x / sum;
}

void vector_gelu(const uint16_t *in, uint16_t *out, int length) {
  for (int i = 0; i < length; i++) out[i] = bf16_encode(gelu(bf16_decode(in[i])));
}

void vector_layernorm(const uint16_t *in, uint16_t *out, int length) {
  float sum = 0.0f, squares = 0.0f;
  for (int i = 0; i < length; i++) sum = sum + bf16_decode(in[i]);
  const float mean = sum / (float)length;
  for (int i = 0; i < length; i++) {
    const float distance = bf16_decode(in[i]) - mean, square = distance * distance;
    squares = squares + square;
  }
  const float variance = squares / (float)length, deviation = sqrtf(variance + 1e-5f);
  for (int i = 0; i < length; i++) out[i] = bf16_encode((bf16_decode(in[i]) - mean) / deviation);
}

/* The int8 attention of seed_kernels on one tile: 64 queries, keys and values of 64 numbers. Its tile program is not published;
 * this is a plain model of one: numbers are sixteenths, scores s = (q · k) / 256 / 8, weights are their softmax in F32, and
 * each result is the weighted sum of the values, rounded to the nearest (halves to even) and kept within int8. */
#include <math.h>

#include "numbers.h"
#include "tile_exp.h"
#include "tiles.h"

enum { SIDE = 64 };

#define SCORE_SCALE (1.0f / 2048.0f) /* 1/16 · 1/16 · 1/√64 */

int seed_attention(const uint8_t *in, uint8_t *out) {
  const int8_t *queries = (const int8_t *)in, *keys = queries + SIDE * SIDE, *values = keys + SIDE * SIDE;
  for (int q = 0; q < SIDE; q++) {
    float weights[SIDE], highest = -INFINITY, total = 0.0f;
    for (int j = 0; j < SIDE; j++) {
      int32_t score = 0;
      for (int d = 0; d < SIDE; d++) score += queries[q * SIDE + d] * keys[j * SIDE + d];
      weights[j] = (float)score * SCORE_SCALE;
      if (weights[j] > highest) highest = weights[j];
    }
    for (int j = 0; j < SIDE; j++) {
      weights[j] = tile_exp(weights[j] - highest);
      total = total + weights[j];
    }
    for (int d = 0; d < SIDE; d++) {
      float sum = 0.0f;
      for (int j = 0; j < SIDE; j++) {
        const float product = weights[j] * (float)values[j * SIDE + d];
        sum = sum + product;
      }
      out[q * SIDE + d] = (uint8_t)(int8_t)fminf(fmaxf(rintf(sum / total), -128.0f), 127.0f);
    }
  }
  return 1;
}

/* INT8 with a scale for each group: I8_GROUP neighbouring values x along K share
 *
 *   scale = largest |x| / 127,   code = x · (127 / largest |x|) to nearest even, −127…127,   x ≈ code · scale
 *
 * computed in F32 just so: every variant gives the same codes. A group whose values are all below I8_LEAST is taken for
 * zeros, as 127 / largest would leave the range. 64 values share a scale because longer groups err more (128: 1.7-2.0 %
 * against 1.4-1.6 % for the whole of Whisper base) and shorter ones spend more time on scales than they save. */
#ifndef SOTTO_I8_GROUP_H
#define SOTTO_I8_GROUP_H

#include <math.h>
#include <stdint.h>

enum { I8_GROUP = 64, I8_MOST = 127 };
#define I8_LEAST 0x1p-100f

/* What values are multiplied with to get codes; 0 for a group of zeros. */
static inline float i8_factor(float largest) { return largest < I8_LEAST ? 0.0f : (float)I8_MOST / largest; }
static inline float i8_scale(float largest) { return largest < I8_LEAST ? 0.0f : largest / (float)I8_MOST; }

static inline int8_t i8_code(float x, float factor) { return (int8_t)lrintf(x * factor); }

/* Codes of `count` ≤ I8_GROUP values, and zeros behind them; answers the scale. */
static inline float i8_quantize(const float *x, int64_t count, int8_t codes[I8_GROUP]) {
  float largest = 0;
  for (int64_t i = 0; i < count; i++) largest = fmaxf(largest, fabsf(x[i]));
  const float factor = i8_factor(largest);
  for (int64_t i = 0; i < I8_GROUP; i++) codes[i] = i < count ? i8_code(x[i], factor) : 0;
  return i8_scale(largest);
}

#endif

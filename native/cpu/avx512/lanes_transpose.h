/* A square of 16 × 16 F32 in sixteen registers, transposed: pairs, then fours inside each 128 bits, then the 128 bits. */
#ifndef SOTTO_LANES_TRANSPOSE_H
#define SOTTO_LANES_TRANSPOSE_H

#include "lanes.h"

static inline __attribute__((always_inline)) void lanes_transpose(lanes rows[LANES]) {
  lanes fours[LANES]; /* fours[4g + j]: column j of each 128 bits of rows 4g … 4g + 3 */
#pragma GCC unroll 4
  for (int g = 0; g < LANES; g += 4) {
    lanes low01 = _mm512_unpacklo_ps(rows[g], rows[g + 1]), high01 = _mm512_unpackhi_ps(rows[g], rows[g + 1]);
    lanes low23 = _mm512_unpacklo_ps(rows[g + 2], rows[g + 3]), high23 = _mm512_unpackhi_ps(rows[g + 2], rows[g + 3]);
    fours[g] = _mm512_shuffle_ps(low01, low23, 0x44);
    fours[g + 1] = _mm512_shuffle_ps(low01, low23, 0xee);
    fours[g + 2] = _mm512_shuffle_ps(high01, high23, 0x44);
    fours[g + 3] = _mm512_shuffle_ps(high01, high23, 0xee);
  }
#pragma GCC unroll 4
  for (int j = 0; j < 4; j++) {
    lanes a = _mm512_shuffle_f32x4(fours[j], fours[4 + j], 0x44), b = _mm512_shuffle_f32x4(fours[j], fours[4 + j], 0xee);
    lanes c = _mm512_shuffle_f32x4(fours[8 + j], fours[12 + j], 0x44);
    lanes d = _mm512_shuffle_f32x4(fours[8 + j], fours[12 + j], 0xee);
    rows[j] = _mm512_shuffle_f32x4(a, c, 0x88);
    rows[4 + j] = _mm512_shuffle_f32x4(a, c, 0xdd);
    rows[8 + j] = _mm512_shuffle_f32x4(b, d, 0x88);
    rows[12 + j] = _mm512_shuffle_f32x4(b, d, 0xdd);
  }
}

/* The largest of each row: of row i in lane i. */
static inline __attribute__((always_inline)) lanes lanes_max_by_row(const lanes rows[LANES]) {
  lanes fours[4]; /* fours[g]: of rows 4g … 4g + 3, in each 128 bits of what lies there */
#pragma GCC unroll 4
  for (int g = 0; g < 4; g++) {
    const lanes *r = rows + 4 * g;
    const lanes ab = _mm512_max_ps(_mm512_unpacklo_ps(r[0], r[1]), _mm512_unpackhi_ps(r[0], r[1]));
    const lanes cd = _mm512_max_ps(_mm512_unpacklo_ps(r[2], r[3]), _mm512_unpackhi_ps(r[2], r[3]));
    fours[g] = _mm512_max_ps(_mm512_shuffle_ps(ab, cd, 0x44), _mm512_shuffle_ps(ab, cd, 0xee));
  }
  const lanes low = _mm512_max_ps(_mm512_shuffle_f32x4(fours[0], fours[1], 0x44), _mm512_shuffle_f32x4(fours[0], fours[1], 0xee));
  const lanes high = _mm512_max_ps(_mm512_shuffle_f32x4(fours[2], fours[3], 0x44), _mm512_shuffle_f32x4(fours[2], fours[3], 0xee));
  return _mm512_max_ps(_mm512_shuffle_f32x4(low, high, 0x88), _mm512_shuffle_f32x4(low, high, 0xdd));
}

#endif

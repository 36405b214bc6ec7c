/* A square of 8 × 8 F32 in eight registers, transposed: pairs, then fours inside each 128 bits, then the 128 bits. */
#ifndef SOTTO_LANES_TRANSPOSE_H
#define SOTTO_LANES_TRANSPOSE_H

#include "lanes.h"

static inline __attribute__((always_inline)) void lanes_transpose(lanes rows[LANES]) {
  lanes fours[LANES]; /* fours[4g + j]: column j of each 128 bits of rows 4g … 4g + 3 */
#pragma GCC unroll 2
  for (int g = 0; g < LANES; g += 4) {
    lanes low01 = _mm256_unpacklo_ps(rows[g], rows[g + 1]), high01 = _mm256_unpackhi_ps(rows[g], rows[g + 1]);
    lanes low23 = _mm256_unpacklo_ps(rows[g + 2], rows[g + 3]), high23 = _mm256_unpackhi_ps(rows[g + 2], rows[g + 3]);
    fours[g] = _mm256_shuffle_ps(low01, low23, 0x44);
    fours[g + 1] = _mm256_shuffle_ps(low01, low23, 0xee);
    fours[g + 2] = _mm256_shuffle_ps(high01, high23, 0x44);
    fours[g + 3] = _mm256_shuffle_ps(high01, high23, 0xee);
  }
#pragma GCC unroll 4
  for (int j = 0; j < 4; j++) {
    rows[j] = _mm256_permute2f128_ps(fours[j], fours[4 + j], 0x20);
    rows[4 + j] = _mm256_permute2f128_ps(fours[j], fours[4 + j], 0x31);
  }
}

/* The largest of each row: of row i in lane i. */
static inline __attribute__((always_inline)) lanes lanes_max_by_row(const lanes rows[LANES]) {
  lanes fours[2]; /* of rows 0 … 3 and 4 … 7, in each 128 bits of what lies there */
#pragma GCC unroll 2
  for (int g = 0; g < 2; g++) {
    const lanes *r = rows + 4 * g;
    const lanes ab = _mm256_max_ps(_mm256_unpacklo_ps(r[0], r[1]), _mm256_unpackhi_ps(r[0], r[1]));
    const lanes cd = _mm256_max_ps(_mm256_unpacklo_ps(r[2], r[3]), _mm256_unpackhi_ps(r[2], r[3]));
    fours[g] = _mm256_max_ps(_mm256_shuffle_ps(ab, cd, 0x44), _mm256_shuffle_ps(ab, cd, 0xee));
  }
  return _mm256_max_ps(_mm256_permute2f128_ps(fours[0], fours[1], 0x20), _mm256_permute2f128_ps(fours[0], fours[1], 0x31));
}

#endif

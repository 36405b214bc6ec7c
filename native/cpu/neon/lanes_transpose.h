/* A square of 4 × 4 F32 in four registers, transposed: pairs, then pairs of pairs. */
#ifndef SOTTO_LANES_TRANSPOSE_H
#define SOTTO_LANES_TRANSPOSE_H

#include "lanes.h"

static inline __attribute__((always_inline)) void lanes_transpose(lanes rows[LANES]) {
  const float64x2_t even01 = vreinterpretq_f64_f32(vtrn1q_f32(rows[0], rows[1])); /* columns 0 and 2 of rows 0, 1 */
  const float64x2_t odd01 = vreinterpretq_f64_f32(vtrn2q_f32(rows[0], rows[1]));
  const float64x2_t even23 = vreinterpretq_f64_f32(vtrn1q_f32(rows[2], rows[3]));
  const float64x2_t odd23 = vreinterpretq_f64_f32(vtrn2q_f32(rows[2], rows[3]));
  rows[0] = vreinterpretq_f32_f64(vtrn1q_f64(even01, even23));
  rows[1] = vreinterpretq_f32_f64(vtrn1q_f64(odd01, odd23));
  rows[2] = vreinterpretq_f32_f64(vtrn2q_f64(even01, even23));
  rows[3] = vreinterpretq_f32_f64(vtrn2q_f64(odd01, odd23));
}

/* The largest of each row: of row i in lane i. */
static inline __attribute__((always_inline)) lanes lanes_max_by_row(const lanes rows[LANES]) {
  return vpmaxq_f32(vpmaxq_f32(rows[0], rows[1]), vpmaxq_f32(rows[2], rows[3]));
}

#endif

/* Products of INT8 groups along K, each row and each column with a scale of its own for every group: what gemm_i8.h and
 * attention_i8.h share.
 *
 *   group of a panel   steps [I8_GROUP / I8_STEP, TILE_COLUMNS], beginnings [TILE_COLUMNS] INT32, scales [TILE_COLUMNS]
 *
 * Included after <isa>/lanes.h with the words for INT8, and lanes_transpose.h. */
#ifndef SOTTO_LANES_GROUPS_H
#define SOTTO_LANES_GROUPS_H

#include "codes.h"

enum {
  STEPS = I8_GROUP / I8_STEP,
  B_GROUP = (STEPS + 2) * TILE_COLUMNS, /* in elements of 32 bits */
};
_Static_assert(I8_GROUP % CODES_AT_ONCE == 0, "a group is whole squares");

/* Rows that are multiplied together: their INT32 sums of a group and their F32 sums of all share the registers. */
enum { HELD_ROWS = TILE_ROWS / 2 };
_Static_assert(TILE_ROWS % HELD_ROWS == 0, "passes over a tile are whole");

/* The left operand: step s of row r of group g is steps[s · step + r · row + g · group], its scale scales[r + g ·
 * scale_group]. What is constant where it is built is constant in the loop. */
typedef struct {
  const float *steps;
  int64_t step, row, group;
  const float *scales;
  int64_t scale_group;
} group_rows;

/* sums [HELD_ROWS, TILE_COLUMNS] (+)= HELD_ROWS rows times a panel. The sums of one group do not depend on those of the
 * next, so one's scaling runs while the other multiplies. To be called from a function that is not inlined and does nothing
 * else, and sums held in registers behind the loop, because GCC 12 spills them in it otherwise: half the speed. */
TILE_INLINE void multiply_groups(int64_t groups, group_rows a, const float *b, float *sums, const int64_t sums_stride,
                                 int is_first) {
  lanes total[HELD_ROWS][TILE_VECTORS];
#pragma GCC unroll 16
  for (int r = 0; r < HELD_ROWS; r++)
#pragma GCC unroll 4
    for (int v = 0; v < TILE_VECTORS; v++)
      total[r][v] = is_first ? lanes_zero() : lanes_load(sums + r * sums_stride + v * LANES);
  for (; groups > 0; groups--, a.steps += a.group, a.scales += a.scale_group, b += B_GROUP) {
    const float *tile = a.steps, *panel = b;
    const float *beginnings = b + STEPS * TILE_COLUMNS, *b_scales = beginnings + TILE_COLUMNS;
    lanes whole[HELD_ROWS][TILE_VECTORS];
#pragma GCC unroll 16
    for (int r = 0; r < HELD_ROWS; r++)
#pragma GCC unroll 4
      for (int v = 0; v < TILE_VECTORS; v++) whole[r][v] = lanes_load(beginnings + v * LANES);
    for (int step = 0; step < STEPS; step++, tile += a.step, panel += TILE_COLUMNS) {
      lanes column[TILE_VECTORS];
#pragma GCC unroll 4
      for (int v = 0; v < TILE_VECTORS; v++) column[v] = lanes_load(panel + v * LANES);
#pragma GCC unroll 16
      for (int r = 0; r < HELD_ROWS; r++) {
        lanes value = lanes_set(tile[r * a.row]);
        LANES_KEEP(value);
#pragma GCC unroll 4
        for (int v = 0; v < TILE_VECTORS; v++) whole[r][v] = lanes_dot_i8(value, column[v], whole[r][v]);
      }
    }
#pragma GCC unroll 16
    for (int r = 0; r < HELD_ROWS; r++)
#pragma GCC unroll 4
      for (int v = 0; v < TILE_VECTORS; v++) LANES_KEEP(whole[r][v]);
#pragma GCC unroll 16
    for (int r = 0; r < HELD_ROWS; r++) {
      const lanes a_scale = lanes_set(a.scales[r]);
#pragma GCC unroll 4
      for (int v = 0; v < TILE_VECTORS; v++) {
        const lanes scale = lanes_mul(a_scale, lanes_load(b_scales + v * LANES));
        total[r][v] = lanes_fma(lanes_of_integers(whole[r][v]), scale, total[r][v]);
        LANES_KEEP(total[r][v]);
      }
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < HELD_ROWS; r++)
#pragma GCC unroll 4
    for (int v = 0; v < TILE_VECTORS; v++) lanes_store(sums + r * sums_stride + v * LANES, total[r][v]);
}

#endif

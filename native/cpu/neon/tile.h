/* 4 × 4 sums, 4 vectors of B and 4 values of A: 24 of 32 registers. Sixteen chains keep four multipliers busy through a
 * latency of four; more rows than lanes are more than the transposition of a tile holds. */
#define TILE_ROWS 4
#define TILE_VECTORS 4

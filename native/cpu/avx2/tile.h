/* 6 × 2 sums, 2 vectors of B and 1 of A: 15 of 16 registers. */
#define TILE_ROWS 6
#define TILE_VECTORS 2

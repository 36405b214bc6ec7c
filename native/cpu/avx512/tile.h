/* 12 × 2 sums, 2 vectors of B and 1 of A: 27 of 32 registers. 14 × 2 would fit too, but 12 divides the 1500 frames of a
 * window. */
#define TILE_ROWS 12
#define TILE_VECTORS 2

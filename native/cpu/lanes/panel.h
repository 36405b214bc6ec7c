/* What products and attention share: packing rows along K, and a tile of sums in registers.
 *
 * A tile of TILE_ROWS × (TILE_VECTORS · LANES) sums leaves room for one row of B and one value of A in the registers.
 * Each k costs TILE_VECTORS loads of B and TILE_ROWS broadcasts of A for TILE_ROWS · TILE_VECTORS multiply-adds, so
 * the loads of one cycle feed the multipliers of two.
 *
 * Included after <isa>/lanes.h and lanes_transpose.h; the ISA's file defines TILE_ROWS and TILE_VECTORS. */
#ifndef SOTTO_LANES_PANEL_H
#define SOTTO_LANES_PANEL_H

#include <stdint.h>

#define TILE_COLUMNS (TILE_VECTORS * LANES)
#define TILE_INLINE static inline __attribute__((always_inline))

/* Panels that hold `count` rows. */
static inline int64_t panels_of(int64_t count) { return (count + TILE_COLUMNS - 1) / TILE_COLUMNS; }

/* Rows [0, count) of b [count, depth] side by side: panel[k, n] = b[n, k], 0 for n ≥ count. n < TILE_COLUMNS. */
static inline void pack_columns(const float *b, int64_t stride, int64_t count, int64_t depth, float *panel) {
  for (int n = 0; n < TILE_COLUMNS; n += LANES) {
    for (int64_t k = 0; k < depth; k += LANES) {
      const int64_t width = depth - k < LANES ? depth - k : LANES;
      lanes square[LANES];
      for (int i = 0; i < LANES; i++)
        square[i] = n + i < count ? lanes_load_first(b + (n + i) * stride + k, width) : lanes_zero();
      lanes_transpose(square);
      for (int i = 0; i < width; i++) lanes_store(panel + (k + i) * TILE_COLUMNS + n, square[i]);
    }
  }
}

typedef struct {
  lanes at[TILE_ROWS][TILE_VECTORS];
} tile_sums;

TILE_INLINE tile_sums tile_zero(void) {
  tile_sums sums;
#pragma GCC unroll 16
  for (int r = 0; r < TILE_ROWS; r++)
#pragma GCC unroll 4
    for (int v = 0; v < TILE_VECTORS; v++) sums.at[r][v] = lanes_zero();
  return sums;
}

TILE_INLINE tile_sums tile_load(const float *from, int64_t stride) {
  tile_sums sums;
#pragma GCC unroll 16
  for (int r = 0; r < TILE_ROWS; r++)
#pragma GCC unroll 4
    for (int v = 0; v < TILE_VECTORS; v++) sums.at[r][v] = lanes_load(from + r * stride + v * LANES);
  return sums;
}

TILE_INLINE void tile_store(const tile_sums *sums, float *to, int64_t stride) {
#pragma GCC unroll 16
  for (int r = 0; r < TILE_ROWS; r++)
#pragma GCC unroll 4
    for (int v = 0; v < TILE_VECTORS; v++) lanes_store(to + r * stride + v * LANES, sums->at[r][v]);
}

/* A function `name`: sums[r, n] += Σ a[step · step_stride + r · r_stride] · panel[step, n]; the strides are constants.
 * Elements are 32 bits wide, and hold as many values of K as `dot(a, b, sum)` multiplies: one F32, two BF16, four INT8. */
#define TILE_MULTIPLY(name, dot)                                                                                   \
  TILE_INLINE tile_sums name(tile_sums sums, int64_t steps, const float *a, const int64_t step_stride,            \
                             const int64_t r_stride, const float *panel) {                                        \
    for (int64_t step = 0; step < steps; step++, a += step_stride, panel += TILE_COLUMNS) {                       \
      lanes b[TILE_VECTORS];                                                                                      \
      _Pragma("GCC unroll 4") for (int v = 0; v < TILE_VECTORS; v++) b[v] = lanes_load(panel + v * LANES);        \
      _Pragma("GCC unroll 16") for (int r = 0; r < TILE_ROWS; r++) {                                              \
        lanes value = lanes_set(a[r * r_stride]);                                                                 \
        LANES_KEEP(value);                                                                                        \
        _Pragma("GCC unroll 4") for (int v = 0; v < TILE_VECTORS; v++)                                            \
            sums.at[r][v] = dot(value, b[v], sums.at[r][v]);                                                      \
      }                                                                                                           \
    }                                                                                                             \
    return sums;                                                                                                  \
  }

TILE_MULTIPLY(tile_multiply, lanes_fma)

#endif

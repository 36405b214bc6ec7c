/* One tile of a product: sums [MR, NR] += tile [K, MR]ᵀ · panel [K, NR], then out = act(sums + bias) + addend.
 *
 * Packing makes both operands contiguous along K: tile[k][r] = A[row + r, k], panel[k][n] = B[n, k]. The tile is small
 * enough that its sums fit the registers of any processor. gemm.c has the loops around this one.
 * Sums are F32 in the order of k; a product of K terms is within K · 2⁻²⁴ of Σ|a·b|. */
#include "gemm_tile.h"

static void pack_tile(const gemm_rows *a, int64_t row, int count, int64_t k, int64_t depth, void *tile) {
  float *out = tile;
  for (int64_t i = 0; i < depth; i++)
    for (int r = 0; r < MR; r++) out[i * MR + r] = element(a, row, r, count, k + i);
}

static void pack_panel(const float *b, int64_t stride, int count, int64_t depth, void *panel) {
  float *out = panel;
  for (int64_t k = 0; k < depth; k++)
    for (int n = 0; n < NR; n++) out[k * NR + n] = n < count ? b[n * stride + k] : 0.0f;
}

static void multiply(int64_t depth, const void *tile, const void *panel, float *sums, int is_first,
                     const gemm_store *store) {
  const float *a = tile, *b = panel;
  float c[MR][NR] = {{0}};
  if (!is_first) memcpy(c, sums, sizeof c);
  for (int64_t k = 0; k < depth; k++)
    for (int r = 0; r < MR; r++)
      for (int n = 0; n < NR; n++) c[r][n] += a[k * MR + r] * b[k * NR + n];
  if (store != NULL)
    store_tile(c, store);
  else
    memcpy(sums, c, sizeof c);
}

gemm_kernel gemm_f32_4x8_ref = {
    .mr = MR,
    .nr = NR,
    .k_step = 1,
    .a_step_bytes = MR * sizeof(float),
    .b_step_bytes = NR * sizeof(float),
    .kc = 512,
    .block_bytes = 256 << 10,
    .pack_tile = pack_tile,
    .pack_panel = pack_panel,
    .multiply = multiply,
};

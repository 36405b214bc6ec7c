/* A product of operands rounded to BF16, to nearest even; sums F32. Otherwise as gemm.c.
 *
 * tile[k / 2][r][k % 2] = A[row + r, k], panel[k / 2][n][k % 2] = B[n, k]: pairs along K lie together, because the
 * instructions that multiply BF16 add two neighbouring products to each sum. */
#include "../format_scalar.h"
#include "gemm_tile.h"

static void pack_tile(const gemm_rows *a, int64_t row, int count, int64_t k, int64_t depth, void *tile) {
  uint16_t *out = tile;
  for (int64_t i = 0; i < (depth + 1) / 2 * 2; i++)
    for (int r = 0; r < MR; r++)
      out[(i / 2 * MR + r) * 2 + i % 2] = i < depth ? bf16_of_f32(element(a, row, r, count, k + i)) : 0;
}

static void pack_panel(const float *b, int64_t stride, int count, int64_t depth, void *panel) {
  uint16_t *out = panel;
  for (int64_t k = 0; k < (depth + 1) / 2 * 2; k++)
    for (int n = 0; n < NR; n++)
      out[(k / 2 * NR + n) * 2 + k % 2] = k < depth && n < count ? bf16_of_f32(b[n * stride + k]) : 0;
}

static void multiply(int64_t depth, const void *tile, const void *panel, float *sums, int is_first,
                     const gemm_store *store) {
  const uint16_t *a = tile, *b = panel;
  float c[MR][NR] = {{0}};
  if (!is_first) memcpy(c, sums, sizeof c);
  for (int64_t k = 0; k < (depth + 1) / 2 * 2; k++)
    for (int r = 0; r < MR; r++)
      for (int n = 0; n < NR; n++)
        c[r][n] += f32_of_bf16(a[(k / 2 * MR + r) * 2 + k % 2]) * f32_of_bf16(b[(k / 2 * NR + n) * 2 + k % 2]);
  if (store != NULL)
    store_tile(c, store);
  else
    memcpy(sums, c, sizeof c);
}

gemm_kernel gemm_bf16_4x8_ref = {
    .mr = MR,
    .nr = NR,
    .k_step = 2,
    .a_step_bytes = MR * 2 * sizeof(uint16_t),
    .b_step_bytes = NR * 2 * sizeof(uint16_t),
    .kc = 512,
    .block_bytes = 256 << 10,
    .pack_tile = pack_tile,
    .pack_panel = pack_panel,
    .multiply = multiply,
};

/* A product of operands rounded to F16, to nearest even; of each F16_RUN pairs along K the even and the odd k are summed in
 * F16, then in F32. Otherwise as gemm_bf16.c; F16 values are held as F32. */
#include "../f16_run.h"
#include "../f16_scalar.h"
#include "gemm_tile.h"

static void pack_tile(const gemm_rows *a, int64_t row, int count, int64_t k, int64_t depth, void *tile) {
  float *out = tile;
  for (int64_t i = 0; i < (depth + 1) / 2 * 2; i++)
    for (int r = 0; r < MR; r++)
      out[(i / 2 * MR + r) * 2 + i % 2] = i < depth ? f16_operand(element(a, row, r, count, k + i)) : 0;
}

static void pack_panel(const float *b, int64_t stride, int count, int64_t depth, void *panel) {
  float *out = panel;
  for (int64_t k = 0; k < (depth + 1) / 2 * 2; k++)
    for (int n = 0; n < NR; n++)
      out[(k / 2 * NR + n) * 2 + k % 2] = k < depth && n < count ? f16_operand(b[n * stride + k]) : 0;
}

static void multiply(int64_t depth, const void *tile, const void *panel, float *sums, int is_first,
                     const gemm_store *store) {
  const float *a = tile, *b = panel;
  const int64_t steps = (depth + 1) / 2;
  float c[MR][NR] = {{0}};
  if (!is_first) memcpy(c, sums, sizeof c);
  for (int64_t begin = 0; begin < steps; begin += F16_RUN)
    for (int r = 0; r < MR; r++)
      for (int n = 0; n < NR; n++) {
        float even = 0, odd = 0;
        for (int64_t step = begin; step < steps && step < begin + F16_RUN; step++) {
          even = f16_multiply_add(a[(step * MR + r) * 2], b[(step * NR + n) * 2], even);
          odd = f16_multiply_add(a[(step * MR + r) * 2 + 1], b[(step * NR + n) * 2 + 1], odd);
        }
        c[r][n] += even + odd;
      }
  if (store != NULL)
    store_tile(c, store);
  else
    memcpy(sums, c, sizeof c);
}

gemm_kernel gemm_f16_4x8_ref = {
    .mr = MR,
    .nr = NR,
    .k_step = 2,
    .a_step_bytes = MR * 2 * sizeof(float),
    .b_step_bytes = NR * 2 * sizeof(float),
    .kc = 512,
    .block_bytes = 256 << 10,
    .pack_tile = pack_tile,
    .pack_panel = pack_panel,
    .multiply = multiply,
};

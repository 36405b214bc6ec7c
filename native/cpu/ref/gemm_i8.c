/* A product of operands rounded to INT8, a scale for each group of 64 along K and each row (i8_group.h); otherwise as
 * gemm.c: out[r, n] = Σ_g a_scale[r, g] · b_scale[n, g] · Σ_k a_code[r, k] · b_code[n, k]. The inner sum is exact. */
#include "../i8_group.h"
#include "gemm_tile.h"

typedef struct {
  int8_t codes[MR][I8_GROUP];
  float scales[MR];
} tile_group;

typedef struct {
  int8_t codes[NR][I8_GROUP];
  float scales[NR];
} panel_group;

static void pack_tile(const gemm_rows *a, int64_t row, int count, int64_t k, int64_t depth, void *tile) {
  tile_group *group = tile;
  for (int64_t begin = 0; begin < depth; begin += I8_GROUP, group++)
    for (int r = 0; r < MR; r++) {
      float values[I8_GROUP];
      const int64_t length = depth - begin < I8_GROUP ? depth - begin : I8_GROUP;
      for (int64_t i = 0; i < length; i++) values[i] = element(a, row, r, count, k + begin + i);
      group->scales[r] = i8_quantize(values, length, group->codes[r]);
    }
}

static void pack_panel(const float *b, int64_t stride, int count, int64_t depth, void *panel) {
  panel_group *group = panel;
  for (int64_t begin = 0; begin < depth; begin += I8_GROUP, group++)
    for (int n = 0; n < NR; n++) {
      const int64_t length = depth - begin < I8_GROUP ? depth - begin : I8_GROUP;
      group->scales[n] = i8_quantize(b + n * stride + begin, n < count ? length : 0, group->codes[n]);
    }
}

static void multiply(int64_t depth, const void *tile, const void *panel, float *sums, int is_first,
                     const gemm_store *store) {
  const tile_group *a = tile;
  const panel_group *b = panel;
  float c[MR][NR] = {{0}};
  if (!is_first) memcpy(c, sums, sizeof c);
  for (int64_t begin = 0; begin < depth; begin += I8_GROUP, a++, b++)
    for (int r = 0; r < MR; r++)
      for (int n = 0; n < NR; n++) {
        int32_t dot = 0;
        for (int i = 0; i < I8_GROUP; i++) dot += a->codes[r][i] * b->codes[n][i];
        c[r][n] += (float)dot * (a->scales[r] * b->scales[n]);
      }
  if (store != NULL)
    store_tile(c, store);
  else
    memcpy(sums, c, sizeof c);
}

gemm_kernel gemm_i8_4x8_ref = {
    .mr = MR,
    .nr = NR,
    .k_step = I8_GROUP,
    .a_step_bytes = sizeof(tile_group),
    .b_step_bytes = sizeof(panel_group),
    .kc = 512,
    .block_bytes = 256 << 10,
    .pack_tile = pack_tile,
    .pack_panel = pack_panel,
    .multiply = multiply,
};

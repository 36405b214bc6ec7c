/* Products over packed weights on the threads of a pool: out = act(A · Bᵀ + bias) + addend, A [M, K], B [N, K].
 *
 * B is packed once, at load; A is packed on the way, a block of rows at a time, by the thread that multiplies it.
 *
 *   thread            its rectangle of M tiles × N panels (static, the same for every run)
 *   └ block of rows   pack A [rows, K]: stays in the second-level cache
 *     └ nr columns    one panel of B: read once for the block
 *       └ kc          a block of the panel: stays in the first-level cache
 *         └ mr rows   kernel: mr × nr sums in registers over kc
 */
#ifndef SOTTO_GEMM_H
#define SOTTO_GEMM_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels.h"
#include "threads.h"

/* B [n, k] as panels, one behind the other, and a bias for each column of the result. */
typedef struct {
  int64_t n, k;
  void *panels;      /* gemm_panels_bytes, aligned to 64 */
  const float *bias; /* [⌈n / nr⌉ · nr], zeros behind n; or NULL */
} gemm_weights;

/* Bytes of all panels of B [n, k]. */
size_t gemm_panels_bytes(const gemm_kernel *kernel, int64_t n, int64_t k);

/* Where panel `index` of B [n, k] begins. */
void *gemm_panel(const gemm_kernel *kernel, const gemm_weights *weights, int64_t index);

/* Rows of A that are packed at a time in a product of depth k. */
int64_t gemm_block_rows(const gemm_kernel *kernel, int64_t k);

/* Scratch one thread needs for a product of depth k whose results become tiles of `next`, or rows where that is NULL. A
 * multiple of 64. */
size_t gemm_scratch_bytes(const gemm_kernel *kernel, int64_t k, const gemm_kernel *next);

/* Columns of results that become tiles of `next` together: whole panels, and whole granules of k. */
int64_t gemm_unit_columns(const gemm_kernel *kernel, const gemm_kernel *next);

/* Where a step writes tiles of A for the product that is the only one to read them, instead of rows in F32. */
typedef struct {
  const gemm_kernel *kernel; /* of that product; NULL where rows are written */
  int64_t k;                 /* its depth */
  void *tiles;               /* gemm_tile_bytes each */
} gemm_tiles;

/* Packs rows [count, columns] as the columns from `column` on of tile `tile`. `column` is a multiple of k_step, and the
 * columns lie in one block of kc. */
void gemm_pack_columns(const gemm_tiles *to, int64_t tile, int64_t column, const float *rows, int64_t stride, int count,
                       int64_t columns);

/* One product. */
typedef struct {
  const gemm_kernel *kernel;
  gemm_rows a;
  const void *tiles; /* A, packed by what wrote it; or NULL */
  int64_t m;
  const gemm_weights *b;
  float *out; /* [m, n] */
  int64_t out_stride;
  gemm_tiles to; /* of the same mr: takes the results instead of `out` */
  const float *addend; /* [m, n], may be `out`, or NULL */
  int64_t addend_stride;
  int is_gelu;
  void *scratch; /* threads × scratch_stride bytes */
  size_t scratch_stride;
  const atomic_int *cancel; /* ends early where it becomes non-zero; or NULL */
} gemm_product;

/* The part of a product that belongs to one thread; a pool_job. */
void gemm_part(void *product, int part, int parts);

/* ---- The pieces of a product, for loops of another order (cross_cache.c). */

/* Bytes of a tile of depth k, and of the sums of one: multiples of 64. */
size_t gemm_tile_bytes(const gemm_kernel *kernel, int64_t k);
size_t gemm_sums_bytes(const gemm_kernel *kernel);

/* Packs `tiles` tiles of A, beginning at row `row`. */
void gemm_pack_tiles(const gemm_product *product, char *packed, int64_t row, int64_t tiles);

/* Multiplies `tiles` packed tiles, which begin at row `row` of A, with one panel; sums [tiles], gemm_sums_bytes each. */
void gemm_multiply_panel(const gemm_product *product, const char *packed, float *sums, int64_t row, int64_t tiles,
                         int64_t panel);

#endif

/* The kernels: what each slot of the table computes. kernel_list.h says which variant fills which slot.
 *
 * A kernel works on one thread, allocates nothing, and is pure: same input, same output, whatever thread runs it and
 * however the work was split. Arrays are F32, row-major; pointers of one call do not overlap except where it says so. */
#ifndef SOTTO_KERNELS_H
#define SOTTO_KERNELS_H

#include <stddef.h>
#include <stdint.h>

/* out [columns, rows] = in [rows, columns] transposed; strides in floats between rows. */
typedef void transpose_kernel(const float *in, int64_t in_stride, float *out, int64_t out_stride, int64_t rows,
                              int64_t columns);

/* out[r] = (in[r] − mean) / √(variance + 1e-5) · weight + bias over each row; mean first, then the variance around it.
 * in, out [rows, columns]; weight, bias [columns]; `out` may be `in`. */
typedef void layernorm_kernel(const float *in, float *out, const float *weight, const float *bias, int64_t rows,
                              int64_t columns);
#define LAYERNORM_EPSILON 1e-5f

/* values[i] = x/2 · (1 + erf(x/√2)), in place. */
typedef void gelu_kernel(float *values, int64_t count);

/* ---- Products: out = act(A · Bᵀ + bias) + addend; A [M, K] activations, B [N, K] weights.
 *
 * gemm.c cuts A into tiles of `mr` rows and B into panels of `nr` rows, both packed along K in granules of `k_step`, and
 * K into blocks of `kc`; the kernel multiplies one tile with one panel over one block. Its sums wait in a scratch tile
 * between blocks, and the last block adds bias, activation and addend on the way out. Packing converts to the kernel's
 * arithmetic; A, B, sums and results are F32 outside:
 *
 *   gemm_f32   operands as they are
 *   gemm_bf16  operands rounded to BF16, to nearest even (subnormals may become 0), sums F32
 *   gemm_f16   operands rounded to F16, to nearest even, beyond its range to its end; of every F16_RUN pairs along K the
 *              even and the odd k are summed in F16 each, then in F32 (f16_run.h)
 *   gemm_i8    operands rounded to INT8 in groups of I8_GROUP along K, each row with a scale of its own for every group
 *              (i8_group.h), sums of a group INT32 and exact, of groups F32 */

/* The left operand: element (r, k) is data[offset + r · stride + k], or 0 where that index is outside [0, length).
 * A plain matrix has offset 0; a convolution reads overlapping rows that begin before the first frame. */
typedef struct {
  const float *data;
  int64_t offset, stride, length;
} gemm_rows;

/* Where a tile's results go: out[r · stride + c] for r < rows, c < columns. */
typedef struct {
  float *out;
  int64_t out_stride;
  int rows, columns;
  const float *bias;   /* [nr], readable to its full width, or NULL */
  const float *addend; /* as out, may be out itself, or NULL; added after the activation */
  int64_t addend_stride;
  int is_gelu;
} gemm_store;

typedef const struct {
  int mr, nr;       /* rows of a tile, rows of a panel */
  int k_step;       /* K is padded to a multiple of this with zeros */
  int a_step_bytes; /* bytes of k_step columns of a tile */
  int b_step_bytes; /* bytes of k_step columns of a panel */
  int kc;           /* columns of a block: a panel's block should stay in the first-level cache */
  int block_bytes;  /* of A packed at a time: it should stay in the second-level cache, with a panel beside it */

  /* Packs columns [k, k + depth) of rows [row, row + count), count ≤ mr, as a tile; missing rows are 0. */
  void (*pack_tile)(const gemm_rows *a, int64_t row, int count, int64_t k, int64_t depth, void *tile);

  /* Packs `count` ≤ nr rows of B, [count, depth] with `stride` floats between rows, as a panel; missing rows are 0. */
  void (*pack_panel)(const float *b, int64_t stride, int count, int64_t depth, void *panel);

  /* sums [mr, nr] (+)= tile · panel over `depth` columns; `is_first` starts from 0. With a store, the sums are final and
   * go there instead; sums, tile and panel are aligned to 64 bytes. */
  void (*multiply)(int64_t depth, const void *tile, const void *panel, float *sums, int is_first,
                   const gemm_store *store);
} gemm_kernel;

/* ---- Attention of one head: out[t] = softmax(q[t] · kᵀ / √D) · v, over all keys. No T×T matrix is stored. Arrays are F32;
 *
 *   attention_f32   operands as they are
 *   attention_bf16  q · log2(e)/√D, k, v and the weights 2^(score − largest) rounded to BF16, sums F32
 *   attention_i8    q and k rounded to INT8 with a scale for each row (i8_group.h); of I8_GROUP keys each column of v with
 *                   one scale, and the weights 2^(score − largest of those keys) rounded to whole 255ths; sums exact, of
 *                   groups F32. What weights are divided by is the sum before they are rounded */

typedef const struct {
  int query_tile;  /* queries of one call of `attend` */
  int key_panel;   /* keys that are packed together */

  /* Floats of the packed keys and values of one head, and of the scratch of one thread. A multiple of 16 each. */
  size_t (*packed_floats)(int64_t T, int64_t width);
  size_t (*scratch_floats)(int64_t T, int64_t width);

  /* Packs the panels [begin, end) of ⌈T / key_panel⌉. k, v [T, width], `stride` floats between rows. */
  void (*pack)(const float *k, const float *v, int64_t stride, int64_t T, int64_t width, int64_t begin, int64_t end,
               float *packed);

  /* Attends with `queries` ≤ query_tile rows of q [queries, width] to all T keys. */
  void (*attend)(const float *q, int64_t q_stride, int queries, const float *packed, int64_t T, int64_t width,
                 float *out, int64_t out_stride, float *scratch);
} attention_kernel;

/* ---- Measuring, for the benchmark. */

/* Multiply-adds between registers in the arithmetic of a product's kernel, `rounds` times; the operations done (two a
 * multiply-add). */
typedef double peak_kernel(int64_t rounds, float *sink);

/* The sum of a large array: reads it at the speed of memory. */
typedef float read_kernel(const float *values, int64_t count);

/* ---- The text decoder, number formats, and the log-mel. */
#include "decoder_kernels.h"
#include "format_kernels.h"
#include "mel.h"

#include "kernel_list.h"

/* One pointer a slot, named as in SOTTO_KERNEL_SLOTS. */
typedef struct {
#define SLOT(slot, type) type *slot;
  SOTTO_KERNEL_SLOTS(SLOT)
#undef SLOT
} kernel_table;

/* Every kernel by its name. A slot's type is typedef'd so that one macro can declare them all. */
#define SLOT(slot, type) typedef type slot##_slot;
SOTTO_KERNEL_SLOTS(SLOT)
#undef SLOT
#define KERNEL(slot, name) extern slot##_slot name;
SOTTO_KERNELS_REF(KERNEL)
SOTTO_KERNELS_AVX2(KERNEL)
SOTTO_KERNELS_AVXVNNI(KERNEL)
SOTTO_KERNELS_AVX512(KERNEL)
SOTTO_KERNELS_AVX512VNNI(KERNEL)
SOTTO_KERNELS_AVX512BF16(KERNEL)
SOTTO_KERNELS_AVX512FP16(KERNEL)
SOTTO_KERNELS_NEON(KERNEL)
SOTTO_KERNELS_NEONDOT(KERNEL)
#undef KERNEL

/* ---- Variants. */

typedef struct {
  const char *name;
  unsigned features;         /* of cpu_features.h: what a CPU needs */
  const kernel_table *own;   /* gaps are NULL */
} kernel_variant;

/* All variants this library was built with, the plainest first; their count in `count`. */
const kernel_variant *kernel_variants(int *count);

/* Whether this CPU runs it. */
int kernel_variant_runs(const kernel_variant *variant);

/* A variant's table made complete: a gap takes the kernel of the best plainer variant that needs nothing this one does
 * not need, so that a name means the same kernels on every machine. */
kernel_table kernel_variant_table(const kernel_variant *variant);

#endif

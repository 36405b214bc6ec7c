/* The one list of kernels: it makes the table of each variant (dispatch.c), and the kernel test and the benchmark walk
 * the same table, so that no kernel can exist without being tested. A name says operation, types, tile and ISA.
 *
 * SLOT(slot, type of kernels.h); KERNEL(slot, name). */
#ifndef SOTTO_KERNEL_LIST_H
#define SOTTO_KERNEL_LIST_H

#define SOTTO_KERNEL_SLOTS(SLOT)          \
  SLOT(transpose, transpose_kernel)       \
  SLOT(layernorm, layernorm_kernel)       \
  SLOT(gelu, gelu_kernel)                 \
  SLOT(gemm_f32, gemm_kernel)             \
  SLOT(attention_f32, attention_kernel)   \
  SLOT(fma_peak_f32, fma_peak_kernel)     \
  SLOT(read, read_kernel)

/* Complete: the reference fills every slot. */
#define SOTTO_KERNELS_REF(KERNEL)               \
  KERNEL(transpose, transpose_f32_ref)          \
  KERNEL(layernorm, layernorm_f32_ref)          \
  KERNEL(gelu, gelu_f32_ref)                    \
  KERNEL(gemm_f32, gemm_f32_4x8_ref)            \
  KERNEL(attention_f32, attention_f32_ref)      \
  KERNEL(fma_peak_f32, fma_peak_f32_ref)        \
  KERNEL(read, read_f32_ref)

#define SOTTO_KERNELS_AVX2(KERNEL)

#define SOTTO_KERNELS_AVX512(KERNEL)

#endif

/* The one list of kernels: it makes the table of each variant (dispatch.c), and the kernel test and the benchmark walk
 * the same table, so that no kernel can exist without being tested. A name says operation, types, tile and ISA.
 *
 * SLOT(slot, type of kernels.h); KERNEL(slot, name). */
#ifndef SOTTO_KERNEL_LIST_H
#define SOTTO_KERNEL_LIST_H

#define SOTTO_KERNEL_SLOTS(SLOT)                             \
  SLOT(transpose, transpose_kernel)                          \
  SLOT(layernorm, layernorm_kernel)                          \
  SLOT(gelu, gelu_kernel)                                    \
  SLOT(gemm_f32, gemm_kernel)                                \
  SLOT(gemm_bf16, gemm_kernel)                               \
  SLOT(gemm_f16, gemm_kernel)                                \
  SLOT(gemm_i8, gemm_kernel)                                 \
  SLOT(attention_f32, attention_kernel)                      \
  SLOT(attention_bf16, attention_kernel)                     \
  SLOT(attention_i8, attention_kernel)                       \
  SLOT(peak_f32, peak_kernel)                                \
  SLOT(peak_bf16, peak_kernel)                               \
  SLOT(peak_f16, peak_kernel)                                \
  SLOT(peak_i8, peak_kernel)                                 \
  SLOT(read, read_kernel)                                    \
  SLOT(mel_f32, mel_kernel)                                  \
  SLOT(project_f32, project_kernel)                          \
  SLOT(project_f16, project_kernel)                          \
  SLOT(project_i8, project_i8_kernel)                        \
  SLOT(combine_f32, combine_kernel)                          \
  SLOT(combine_i16, combine_kernel)                          \
  SLOT(combine_i8, combine_kernel)                           \
  SLOT(softmax_f32, softmax_kernel)                          \
  SLOT(highest, highest_kernel)                              \
  SLOT(sum_exp, sum_exp_kernel)                              \
  SLOT(narrow_f16, narrow_kernel)                            \
  SLOT(quantize_i16, quantize_kernel)                        \
  SLOT(count_non_finite_f16, count_non_finite_kernel)        \
  SLOT(count_non_finite_f32, count_non_finite_kernel)        \
  SLOT(narrow_bf16, narrow_bf16_kernel)                      \
  SLOT(widen_bf16, widen_bf16_kernel)                        \
  SLOT(encode_bfp16, encode_bfp16_kernel)                    \
  SLOT(decode_bfp16, decode_bfp16_kernel)                    \
  SLOT(range, range_kernel)                                  \
  SLOT(range_columns, range_columns_kernel)                  \
  SLOT(range_runs, range_runs_kernel)                        \
  SLOT(quantize_i8, quantize_i8_kernel)                      \
  SLOT(quantize_columns_i8, quantize_columns_i8_kernel)      \
  SLOT(dequantize_i8, dequantize_i8_kernel)                  \
  SLOT(dequantize_columns_i8, dequantize_columns_i8_kernel)

/* Complete: the reference fills every slot. */
#define SOTTO_KERNELS_REF(KERNEL)                              \
  KERNEL(transpose, transpose_f32_ref)                         \
  KERNEL(layernorm, layernorm_f32_ref)                         \
  KERNEL(gelu, gelu_f32_ref)                                   \
  KERNEL(gemm_f32, gemm_f32_4x8_ref)                           \
  KERNEL(gemm_bf16, gemm_bf16_4x8_ref)                         \
  KERNEL(gemm_f16, gemm_f16_4x8_ref)                           \
  KERNEL(gemm_i8, gemm_i8_4x8_ref)                             \
  KERNEL(attention_f32, attention_f32_ref)                     \
  KERNEL(attention_bf16, attention_bf16_ref)                   \
  KERNEL(attention_i8, attention_i8_ref)                       \
  KERNEL(peak_f32, peak_f32_ref)                               \
  KERNEL(peak_bf16, peak_bf16_ref)                             \
  KERNEL(peak_f16, peak_f16_ref)                               \
  KERNEL(peak_i8, peak_i8_ref)                                 \
  KERNEL(read, read_f32_ref)                                   \
  KERNEL(mel_f32, mel_f32_ref)                                 \
  KERNEL(project_f32, project_f32f32f32_ref)                   \
  KERNEL(project_f16, project_f32f16f32_ref)                   \
  KERNEL(project_i8, project_i16i8f32_ref)                     \
  KERNEL(combine_f32, combine_f32f32f32_ref)                   \
  KERNEL(combine_i16, combine_f32i16f32_ref)                   \
  KERNEL(combine_i8, combine_f32i8f32_ref)                     \
  KERNEL(softmax_f32, softmax_f32_ref)                         \
  KERNEL(highest, highest_f32_ref)                             \
  KERNEL(sum_exp, sum_exp_f32_ref)                             \
  KERNEL(narrow_f16, narrow_f32f16_ref)                        \
  KERNEL(quantize_i16, quantize_f32i16_ref)                    \
  KERNEL(count_non_finite_f16, count_non_finite_f16_ref)       \
  KERNEL(count_non_finite_f32, count_non_finite_f32_ref)       \
  KERNEL(narrow_bf16, narrow_f32bf16_ref)                      \
  KERNEL(widen_bf16, widen_bf16f32_ref)                        \
  KERNEL(encode_bfp16, encode_f32bfp16_ref)                    \
  KERNEL(decode_bfp16, decode_bfp16f32_ref)                    \
  KERNEL(range, range_f32_ref)                                 \
  KERNEL(range_columns, range_columns_f32_ref)                 \
  KERNEL(quantize_i8, quantize_f32i8_ref)                      \
  KERNEL(range_runs, range_runs_f32_ref)                       \
  KERNEL(quantize_columns_i8, quantize_columns_f32i8_ref)      \
  KERNEL(dequantize_i8, dequantize_i8f32_ref)                  \
  KERNEL(dequantize_columns_i8, dequantize_columns_i8f32_ref)

#define SOTTO_KERNELS_AVX2(KERNEL)                              \
  KERNEL(transpose, transpose_f32_avx2)                         \
  KERNEL(layernorm, layernorm_f32_avx2)                         \
  KERNEL(gelu, gelu_f32_avx2)                                   \
  KERNEL(gemm_f32, gemm_f32_6x16_avx2)                          \
  KERNEL(gemm_i8, gemm_i8_6x16_avx2)                            \
  KERNEL(attention_f32, attention_f32_avx2)                     \
  KERNEL(peak_f32, peak_f32_avx2)                               \
  KERNEL(peak_i8, peak_i8_avx2)                                 \
  KERNEL(read, read_f32_avx2)                                   \
  KERNEL(mel_f32, mel_f32_avx2)                                 \
  KERNEL(project_f32, project_f32f32f32_avx2)                   \
  KERNEL(project_f16, project_f32f16f32_avx2)                   \
  KERNEL(project_i8, project_i16i8f32_avx2)                     \
  KERNEL(combine_f32, combine_f32f32f32_avx2)                   \
  KERNEL(combine_i16, combine_f32i16f32_avx2)                   \
  KERNEL(combine_i8, combine_f32i8f32_avx2)                     \
  KERNEL(softmax_f32, softmax_f32_avx2)                         \
  KERNEL(highest, highest_f32_avx2)                             \
  KERNEL(sum_exp, sum_exp_f32_avx2)                             \
  KERNEL(narrow_f16, narrow_f32f16_avx2)                        \
  KERNEL(quantize_i16, quantize_f32i16_avx2)                    \
  KERNEL(narrow_bf16, narrow_f32bf16_avx2)                      \
  KERNEL(widen_bf16, widen_bf16f32_avx2)                        \
  KERNEL(encode_bfp16, encode_f32bfp16_avx2)                    \
  KERNEL(decode_bfp16, decode_bfp16f32_avx2)                    \
  KERNEL(range, range_f32_avx2)                                 \
  KERNEL(range_columns, range_columns_f32_avx2)                 \
  KERNEL(quantize_i8, quantize_f32i8_avx2)                      \
  KERNEL(range_runs, range_runs_f32_avx2)                       \
  KERNEL(quantize_columns_i8, quantize_columns_f32i8_avx2)      \
  KERNEL(dequantize_i8, dequantize_i8f32_avx2)                  \
  KERNEL(dequantize_columns_i8, dequantize_columns_i8f32_avx2)

/* AVX2 with AVX-VNNI: INT8 dot products without AVX-512. */
#define SOTTO_KERNELS_AVXVNNI(KERNEL)     \
  KERNEL(gemm_i8, gemm_i8_6x16_avxvnni)   \
  KERNEL(attention_i8, attention_i8_avxvnni) \
  KERNEL(peak_i8, peak_i8_avxvnni)

#define SOTTO_KERNELS_AVX512(KERNEL)             \
  KERNEL(transpose, transpose_f32_avx512)        \
  KERNEL(layernorm, layernorm_f32_avx512)        \
  KERNEL(gelu, gelu_f32_avx512)                  \
  KERNEL(gemm_f32, gemm_f32_12x32_avx512)        \
  KERNEL(attention_f32, attention_f32_avx512)    \
  KERNEL(peak_f32, peak_f32_avx512)              \
  KERNEL(read, read_f32_avx512)                  \
  KERNEL(mel_f32, mel_f32_avx512)                \
  KERNEL(project_f32, project_f32f32f32_avx512)  \
  KERNEL(project_f16, project_f32f16f32_avx512)  \
  KERNEL(project_i8, project_i16i8f32_avx512)    \
  KERNEL(combine_f32, combine_f32f32f32_avx512)  \
  KERNEL(combine_i16, combine_f32i16f32_avx512)  \
  KERNEL(combine_i8, combine_f32i8f32_avx512)    \
  KERNEL(softmax_f32, softmax_f32_avx512)        \
  KERNEL(highest, highest_f32_avx512)            \
  KERNEL(sum_exp, sum_exp_f32_avx512)            \
  KERNEL(narrow_f16, narrow_f32f16_avx512)       \
  KERNEL(quantize_i16, quantize_f32i16_avx512)   \
  KERNEL(range, range_f32_avx512)                \
  KERNEL(range_columns, range_columns_f32_avx512) \
  KERNEL(quantize_i8, quantize_f32i8_avx512)     \
  KERNEL(range_runs, range_runs_f32_avx512)      \
  KERNEL(quantize_columns_i8, quantize_columns_f32i8_avx512)

#define SOTTO_KERNELS_AVX512VNNI(KERNEL)        \
  KERNEL(gemm_i8, gemm_i8_12x32_avx512vnni)     \
  KERNEL(attention_i8, attention_i8_avx512vnni) \
  KERNEL(project_i8, project_i16i8f32_avx512vnni) \
  KERNEL(peak_i8, peak_i8_avx512vnni)

#define SOTTO_KERNELS_AVX512BF16(KERNEL)          \
  KERNEL(gemm_bf16, gemm_bf16_12x32_avx512bf16)   \
  KERNEL(attention_bf16, attention_bf16_avx512bf16) \
  KERNEL(peak_bf16, peak_bf16_avx512bf16)

#define SOTTO_KERNELS_AVX512FP16(KERNEL)        \
  KERNEL(gemm_f16, gemm_f16_12x32_avx512fp16)   \
  KERNEL(peak_f16, peak_f16_avx512fp16)

/* Every aarch64. */
#define SOTTO_KERNELS_NEON(KERNEL)             \
  KERNEL(transpose, transpose_f32_neon)        \
  KERNEL(layernorm, layernorm_f32_neon)        \
  KERNEL(gelu, gelu_f32_neon)                  \
  KERNEL(gemm_f32, gemm_f32_4x16_neon)         \
  KERNEL(gemm_i8, gemm_i8_4x16_neon)           \
  KERNEL(attention_f32, attention_f32_neon)    \
  KERNEL(peak_f32, peak_f32_neon)              \
  KERNEL(peak_i8, peak_i8_neon)                \
  KERNEL(read, read_f32_neon)                  \
  KERNEL(mel_f32, mel_f32_neon)                \
  KERNEL(project_f32, project_f32f32f32_neon)  \
  KERNEL(project_f16, project_f32f16f32_neon)  \
  KERNEL(project_i8, project_i16i8f32_neon)    \
  KERNEL(combine_f32, combine_f32f32f32_neon)  \
  KERNEL(combine_i16, combine_f32i16f32_neon)  \
  KERNEL(combine_i8, combine_f32i8f32_neon)    \
  KERNEL(softmax_f32, softmax_f32_neon)        \
  KERNEL(highest, highest_f32_neon)            \
  KERNEL(sum_exp, sum_exp_f32_neon)            \
  KERNEL(narrow_f16, narrow_f32f16_neon)       \
  KERNEL(quantize_i16, quantize_f32i16_neon)

/* Dot products of bytes: an extension of ARMv8.2, part of ARMv8.4. */
#define SOTTO_KERNELS_NEONDOT(KERNEL)     \
  KERNEL(gemm_i8, gemm_i8_4x16_neondot)   \
  KERNEL(attention_i8, attention_i8_neondot) \
  KERNEL(peak_i8, peak_i8_neondot)

#endif

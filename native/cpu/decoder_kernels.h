/* The kernels of the text decoder: what each slot of the table computes. kernels.h has the rules all kernels follow.
 * Weights and caches may be unaligned; strides count elements. */
#ifndef SOTTO_DECODER_KERNELS_H
#define SOTTO_DECODER_KERNELS_H

#include <stdint.h>

/* out[r, n] = Σk x[r, k] · w[n, k]; x [rows, K], w [N, K] contiguous (F32 or F16, by the slot), out [rows, N]. */
typedef void project_kernel(const float *x, int64_t x_stride, int64_t rows, const void *w, int64_t N, int64_t K,
                            float *out, int64_t out_stride);

/* out[r, n] = x_scales[r] · Σk x[r, k] · w[n, k]; w [N, K] in INT8 as rows_i8.h has it; x [rows, i8_codes(K)], of which
 * what lies behind K may be any numbers; out [rows, N]. */
typedef void project_i8_kernel(const int16_t *x, int64_t x_stride, const float *x_scales, int64_t rows, const void *w,
                               int64_t N, int64_t K, float *out, int64_t out_stride);

/* out[r, n] = Σk a[r, k] · b[k, n]; a [rows, K], b [K, N] (F32, I16 or I8, by the slot), out [rows, N]. */
typedef void combine_kernel(const float *a, int64_t a_stride, int64_t rows, const void *b, int64_t b_stride, int64_t N,
                            int64_t K, float *out, int64_t out_stride);

/* x[i] ← exp(scale · (x[i] − max x)), i < n; answers their sum. n ≥ 1, scale > 0. */
typedef float softmax_kernel(float *x, int64_t n, float scale);

/* The places of the `most` ≥ 1 highest of values[0…n), in falling order, of equals the first first; answers how many there
 * are. NaN and −∞ are passed over. */
typedef int64_t highest_kernel(const float *values, int64_t n, int64_t most, int32_t *places);

/* Σ exp(values[i] − highest), i < n, within 1e-6 of it; no value is above `highest`, which is finite. NaN and −∞ add
 * nothing. */
typedef double sum_exp_kernel(const float *values, int64_t n, float highest);

/* F32 to F16, to nearest even; values beyond ±65504, F16's largest, become that. `out` may be unaligned. */
typedef void narrow_kernel(const float *values, int64_t count, void *out);

/* out[i] = round(values[i] / scale), scale = max |values| / 32767; answers the scale, 0 where all are 0.
 *
 * Caches are kept so rather than in F16: its steps are alike for all values, F16's grow with them. Over a block of 64
 * positions of one head, the logits come 12 times as close to those of an F32 cache, in the same two bytes. */
typedef float quantize_kernel(const float *values, int64_t count, int16_t *out);

/* How many of `count` F16 (or F32) values are NaN or infinite. */
typedef int64_t count_non_finite_kernel(const void *values, int64_t count);

#endif

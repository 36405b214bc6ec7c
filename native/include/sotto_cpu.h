/* The C interface of libsotto_cpu: encoder plans, the text decoder, log-mel and number formats on CPU threads.
 *
 * Every function that can fail returns a status (0 = done) and writes one line of text into `error`, a buffer
 * of the same call; nothing is kept in thread-locals, because a caller's calls may come from any thread.
 * Objects are named by handles, which stay safe when stale: a handle that was destroyed, or is of another kind,
 * is answered with SOTTO_INVALID_HANDLE. Destroying an object that a call is using takes effect when that call ends.
 * Pointers may be unaligned except where a type says otherwise; (NULL, 0) is an empty array.
 * The library never prints, exits, or throws, and needs libc, libm and pthreads only.
 *
 * ffi/bindgen.ts reads this file: one declaration of SOTTO_API at a time, one parameter after another.
 */
#ifndef SOTTO_CPU_H
#define SOTTO_CPU_H

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#define SOTTO_API __declspec(dllexport)
#else
#define SOTTO_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Raised whenever a declaration below changes. */
#define SOTTO_CPU_ABI 8

enum sotto_status {
  SOTTO_OK = 0,
  SOTTO_INVALID_ARGUMENT = 1,
  SOTTO_INVALID_HANDLE = 2,
  SOTTO_OUT_OF_MEMORY = 3,
  SOTTO_UNSUPPORTED = 4,   /* a variant this CPU cannot run, an unknown name */
  SOTTO_CANCELLED = 5,     /* control[1], or cancel[0], was set */
  SOTTO_NON_FINITE = 6,    /* a weight is NaN or infinite */
  SOTTO_BUSY = 7,          /* another call is running on this object */
  SOTTO_IO = 8,            /* a file could not be opened or mapped */
  SOTTO_NO_THREADS = 9     /* the system refused a thread */
};

/* Element types of stored weights; the Q types are ggml's blocks of 32. */
enum sotto_dtype {
  SOTTO_F32 = 0,
  SOTTO_F16 = 1,
  SOTTO_BF16 = 2,
  SOTTO_Q8_0 = 3,
  SOTTO_Q5_0 = 4,
  SOTTO_Q5_1 = 5,
  SOTTO_Q4_0 = 6,
  SOTTO_Q4_1 = 7
};

/* Operations of a plan; see sotto_cpu_plan_create. */
enum sotto_op {
  SOTTO_OP_TRANSPOSE = 1,
  SOTTO_OP_CONV1D = 2,
  SOTTO_OP_LAYERNORM = 3,
  SOTTO_OP_GEMM = 4,
  SOTTO_OP_ATTENTION = 5
};

/* What a product computes in. Buffers, sums and results are F32. */
enum sotto_arithmetic {
  SOTTO_ARITHMETIC_F32 = 0,
  SOTTO_ARITHMETIC_BF16 = 1, /* operands rounded to BF16 */
  SOTTO_ARITHMETIC_F16 = 2,  /* operands rounded to F16, short sums in F16; not for attention */
  SOTTO_ARITHMETIC_I8 = 3    /* operands rounded to INT8, a scale for 64 values of a row; kernels.h has attention's */
};

#define SOTTO_STEP_WORDS 20   /* int64 words of one step */
#define SOTTO_WEIGHT_WORDS 4  /* uint64 words of one weight: file handle, byte offset, dtype, elements */

/* SOTTO_CPU_ABI as compiled in; to be asked before anything else. */
SOTTO_API uint32_t sotto_cpu_abi(void);

/* What this CPU is and which kernel variants it can run, as JSON:
 * {"cpu": "AMD EPYC", "features": ["avx2", …], "variants": ["ref", "avx2", "avx512"]}, the best variant last.
 * Cut at `capacity`, always terminated. */
SOTTO_API int32_t sotto_cpu_describe(char *json, size_t json_capacity);

/* A context: a pool of `threads` (the caller's thread among them, 1…256) and a table of kernels.
 * `variant` is a name of sotto_cpu_describe, or "" for the best. */
SOTTO_API int32_t sotto_cpu_context_create(int32_t threads, const char *variant, size_t variant_length,
                                           uint64_t *context, char *error, size_t error_capacity);

/* The variant and the number of threads in use, and how many operations a second one thread computes on registers in each
 * arithmetic, measured when the context was created, as JSON:
 * {"variant": "avx512bf16", "threads": 2, "rates": {"f32": 270000000000, "bf16": 540000000000, …}}. */
SOTTO_API int32_t sotto_cpu_context_describe(uint64_t context, char *json, size_t json_capacity);

/* Maps a file read-only. `path` is UTF-8, not terminated. */
SOTTO_API int32_t sotto_cpu_file_open(const char *path, size_t path_length, uint64_t *file, char *error,
                                      size_t error_capacity);

/* A copy of bytes in memory, to be used like a mapped file. */
SOTTO_API int32_t sotto_cpu_file_copy(const uint8_t *bytes, size_t bytes_length, uint64_t *file, char *error,
                                      size_t error_capacity);

/* Frees an object of any kind. */
SOTTO_API int32_t sotto_cpu_destroy(uint64_t handle);

/* log10 of the mel power spectrum: frame i is the Hann-windowed samples [160·i, 160·i + 400), its power spectrum
 * (201 bins) goes through `filters` [bands, 201]. out [frames, bands] = log10(max(mel, 1e-10)). */
SOTTO_API int32_t sotto_cpu_log_mel(uint64_t context, const float *samples, size_t samples_length,
                                    const float *filters, size_t filters_length, float *out, size_t out_length,
                                    int32_t frames, int32_t bands, char *error, size_t error_capacity);

/* Prepares a plan: reads, checks and packs the weights (they are no longer needed afterwards).
 *
 * buffers [n, 3]: offset into the arena in floats (a multiple of 16), rows, columns; the arena has `arena` floats.
 * weights [n, SOTTO_WEIGHT_WORDS]. steps [n, SOTTO_STEP_WORDS], words not named are 0, -1 means none:
 *   TRANSPOSE  op, input, output, rows, columns
 *   CONV1D     op, input, output, weight, bias, addend, frames_in, frames_out, channels_in, channels_out, stride,
 *              arithmetic
 *   LAYERNORM  op, input, output, weight, bias, rows, columns
 *   GEMM       op, input, output, residual, M, K, activation (0 none, 1 gelu), parts (1…3), then weight, bias, N of each;
 *              word 17: arithmetic; word 18: 0, or 1 + a weight [K], by which the columns of the matrices are multiplied
 *              before they are rounded
 *   ATTENTION  op, input, output, T, heads, head_width, arithmetic
 * Every index, shape and range is checked here, so that a run cannot read or write outside. */
SOTTO_API int32_t sotto_cpu_plan_create(uint64_t context, const int64_t *buffers, size_t buffers_length,
                                        const uint64_t *weights, size_t weights_length, const int64_t *steps,
                                        size_t steps_length, int64_t arena, uint64_t *plan, char *error,
                                        size_t error_capacity);

/* Runs a plan: `input` fills buffer `input_buffer`, `out` is filled from `output_buffer`.
 * control[0] counts finished steps; control[1] != 0 cancels. Both are read and written atomically.
 * seconds [steps] (or empty) receives the time of each step. */
SOTTO_API int32_t sotto_cpu_plan_run(uint64_t plan, int32_t input_buffer, const float *input, size_t input_length,
                                     int32_t output_buffer, float *out, size_t out_length, int32_t *control,
                                     size_t control_length, double *seconds, size_t seconds_length, char *error,
                                     size_t error_capacity);

/* What a text decoder keeps its weights in. */
enum sotto_weight_format { SOTTO_WEIGHTS_AS_STORED = 0, SOTTO_WEIGHTS_I8 = 1 };

/* Prepares a text decoder. dims [6]: n_audio_ctx, n_vocab, n_text_ctx, n_text_state, n_text_head, n_text_layer.
 * weights [n, SOTTO_WEIGHT_WORDS] in the order of decoderTensors() in model/weight_names.ts.
 * With SOTTO_WEIGHTS_AS_STORED matrices stay in F32 or F16: F16 is read in place from the mapped file, other types become
 * F16 (BF16 becomes F32). With SOTTO_WEIGHTS_I8 those that every step reads become INT8, the largest of each 64 along a
 * row at ±127, and so do a window's keys and values, each position's by its largest; the weights that those are computed
 * with stay. The decoder keeps the files it reads from
 * open. */
SOTTO_API int32_t sotto_cpu_decoder_create(uint64_t context, const int32_t *dims, size_t dims_length,
                                           const uint64_t *weights, size_t weights_length,
                                           int32_t weight_format, uint64_t *decoder, char *error,
                                           size_t error_capacity);

/* A session: key and value caches for up to `hypotheses` (1…32) token sequences over one window. */
SOTTO_API int32_t sotto_cpu_session_create(uint64_t decoder, int32_t hypotheses, uint64_t *session, char *error,
                                           size_t error_capacity);

/* The calls below that take long have `cancel` [1], or none: where it becomes other than 0, they end soon, with
 * SOTTO_CANCELLED. It is read atomically. The session may be used on. */

/* Computes the cross-attention keys and values of features [n_audio_ctx, n_text_state], and empties the sequences.
 * Cancelled, the session has no features until they are set again. */
SOTTO_API int32_t sotto_cpu_session_set_features(uint64_t session, const float *features, size_t features_length,
                                                 const int32_t *cancel, size_t cancel_length, char *error,
                                                 size_t error_capacity);

#define SOTTO_ADVANCE_WORDS 4 /* int32 words of what a session is given in a step: sequences, count, position, rows */
#define SOTTO_ADVANCE_SESSIONS 64 /* most sessions of a step */

/* Advances several sessions of one decoder, each over a window of its own, in one reading of the weights.
 * shapes [sessions, SOTTO_ADVANCE_WORDS]: a session's sequences 0…sequences-1 get `count` tokens each, appended at `position`,
 * and logits are computed for `rows` of them. tokens: [sequences, count] of each session, one behind the other; rows:
 * indices 0…count-1 of each; logits: [sequences, rows, n_vocab] of each. The numbers do not depend on what else is in
 * the call. A session may be named once. Cancelled, the logits are any numbers, and the sequences hold what they held
 * before `position`. */
SOTTO_API int32_t sotto_cpu_sessions_step(const uint64_t *sessions, size_t sessions_length, const int32_t *shapes,
                                          size_t shapes_length, const int32_t *tokens, size_t tokens_length,
                                          const int32_t *rows, size_t rows_length, float *logits,
                                          size_t logits_length, const int32_t *cancel, size_t cancel_length,
                                          char *error, size_t error_capacity);

/* How a text lies on the window, for word times: puts 2 or more `tokens` through the decoder as sequence 0, which then
 * holds them. The first `start` tokens come before the text, 1 to all but one. `positions` of the window hold audio, 1…n_audio_ctx.
 * heads [n, 2]: pairs of a layer and a head of the cross-attention, each at most once.
 * scores [heads, tokens, n_audio_ctx] (or empty) = q · k / √D of each, before softmax.
 * probabilities [tokens]: of each token after those before it, among the ids below `vocabulary`; 0 for the first, and
 * for ids that are not below it.
 * entries [tokens - start]: the audio position at which each token from `start` on begins, by dynamic time warping over
 * the heads' mean; they never decrease. Cancelled, all are any numbers, and sequence 0 holds nothing. */
SOTTO_API int32_t sotto_cpu_session_align(uint64_t session, const int32_t *tokens, size_t tokens_length,
                                          const int32_t *heads, size_t heads_length, int32_t vocabulary, int32_t start,
                                          int32_t positions, float *scores, size_t scores_length, float *probabilities,
                                          size_t probabilities_length, int32_t *entries, size_t entries_length,
                                          const int32_t *cancel, size_t cancel_length,
                                          char *error, size_t error_capacity);

/* Makes sequence i a copy of what was sequence sources[i]. */
SOTTO_API int32_t sotto_cpu_session_reorder(uint64_t session, const int32_t *sources, size_t sources_length,
                                            char *error, size_t error_capacity);

/* What choosing a token asks of a part of its logits, on the calling thread, in microseconds; the session says whose kernels.
 *
 * tokens [most] receives the ids of the highest of logits[from…to), in falling order, of equals the lower first; count [1]
 * how many there are. NaN and −∞ are passed over. */
SOTTO_API int32_t sotto_cpu_session_best_logits(uint64_t session, const float *logits, size_t logits_length,
                                                int32_t from, int32_t to, int32_t *tokens, size_t tokens_length,
                                                int32_t *count, size_t count_length, char *error,
                                                size_t error_capacity);

/* sum [1] = Σ exp(logit − highest) over logits[from…to), none of which is above `highest`, a finite number; within 1e-6 of
 * it. NaN and −∞ add nothing. */
SOTTO_API int32_t sotto_cpu_session_sum_logits(uint64_t session, const float *logits, size_t logits_length,
                                               int32_t from, int32_t to, float highest, double *sum,
                                               size_t sum_length, char *error, size_t error_capacity);

/* Measures this machine on the context's threads, for the benchmark: "f32_peak" in operations per second
 * (register-only multiply-adds of the context's variant), the same with another name of its rates for "f32", "read_bandwidth" in bytes per second (a buffer far larger
 * than the caches). Runs for about `seconds`. */
SOTTO_API int32_t sotto_cpu_measure(uint64_t context, const char *what, size_t what_length, double seconds,
                                    double *result, char *error, size_t error_capacity);

/* ---- Number formats. Each is specified in tensor/ (half.ts, bfp16.ts, bfp16_layout.ts, integers.ts), and every
 * variant gives the bits of the TypeScript there. NaN and infinities have defined results. Arrays of one call must not
 * overlap. */

/* F32 to BF16, to nearest even; and back. Both arrays have as many elements. */
SOTTO_API int32_t sotto_cpu_convert_f32_to_bf16(uint64_t context, const float *values, size_t values_length,
                                                uint16_t *codes, size_t codes_length, char *error,
                                                size_t error_capacity);
SOTTO_API int32_t sotto_cpu_convert_bf16_to_f32(uint64_t context, const uint16_t *codes, size_t codes_length,
                                                float *values, size_t values_length, char *error,
                                                size_t error_capacity);

/* int32 words of a BFP16 layout: order (0 rows, 1 DIM32), rows and columns stored, rows and columns of a tile. */
#define SOTTO_BFP16_LAYOUT_WORDS 5

/* F32 [rows, columns] (if is_transposed: [columns, rows]) to BFP16 blocks of 9 bytes, rounded to nearest even or
 * towards −∞.
 * blocks [stored rows · stored columns · 9 / 8]; what lies beyond the matrix becomes 0. */
SOTTO_API int32_t sotto_cpu_convert_f32_to_bfp16(uint64_t context, const float *values, size_t values_length,
                                                 int32_t rows, int32_t columns, int32_t is_transposed,
                                                 int32_t is_nearest, const int32_t *layout, size_t layout_length,
                                                 uint8_t *blocks, size_t blocks_length, char *error,
                                                 size_t error_capacity);

/* BFP16 blocks to F32 [rows, columns]. */
SOTTO_API int32_t sotto_cpu_convert_bfp16_to_f32(uint64_t context, const uint8_t *blocks, size_t blocks_length,
                                                 int32_t rows, int32_t columns, const int32_t *layout,
                                                 size_t layout_length, float *values, size_t values_length, char *error,
                                                 size_t error_capacity);

/* Where the scales of a quantization come from. */
enum sotto_i8_scheme {
  SOTTO_I8_GIVEN = 0,     /* the caller: scales in 2^-126 … 2^128, zero points −128 … 127 or none */
  SOTTO_I8_SYMMETRIC = 1, /* the largest magnitude; no zero points */
  SOTTO_I8_ASYMMETRIC = 2 /* the least and the largest value */
};

/* F32 [rows, columns] to INT8. A scale (and a zero point) is shared by block_rows × block_columns values: all of them,
 * a column (rows × 1), or a run within a row (1 × a divisor of columns).
 * scales and zero_points [blocks], written unless given. */
SOTTO_API int32_t sotto_cpu_convert_f32_to_i8(uint64_t context, const float *values, size_t values_length,
                                              int32_t rows, int32_t columns, int32_t block_rows,
                                              int32_t block_columns, int32_t scheme, float *scales,
                                              size_t scales_length, int32_t *zero_points, size_t zero_points_length,
                                              int8_t *codes, size_t codes_length, char *error, size_t error_capacity);

/* values = (code − zero point) · scale. */
SOTTO_API int32_t sotto_cpu_convert_i8_to_f32(uint64_t context, const int8_t *codes, size_t codes_length, int32_t rows,
                                              int32_t columns, int32_t block_rows, int32_t block_columns,
                                              const float *scales, size_t scales_length, const int32_t *zero_points,
                                              size_t zero_points_length, float *values, size_t values_length,
                                              char *error, size_t error_capacity);

/* What a pass over rows starts from. */
enum sotto_rows_source { SOTTO_ROWS_FROM_F32 = 0, SOTTO_ROWS_FROM_I32 = 1, SOTTO_ROWS_FROM_BF16 = 2 };

/* What a pass over rows leaves behind. */
enum sotto_rows_target {
  SOTTO_ROWS_NONE = 0,
  SOTTO_ROWS_F32 = 1,
  SOTTO_ROWS_BF16 = 2,
  SOTTO_ROWS_BFP16 = 3, /* in DIM32 order, by kernel tiles */
  SOTTO_ROWS_I8 = 4     /* with a scale for each row */
};

/* int64 words of a pass: rows, columns; type (sotto_rows_source), row length and address of the source; whether there is a
 * GELU; type (sotto_rows_target), row length, rows, first row and address of the target; rows and columns of its tiles. */
#define SOTTO_ROWS_WORDS 13

/* What a host does between two products of another device, row by row:
 * x = source · row scale · column scale + bias; GELU; + addend; stored in `out`; layer norm; converted into `target`.
 *
 * The source has rows of the given length, the matrix their first columns. A source or target address that is not 0 is
 * memory of that device, mapped in this process, and valid during the call (sotto_xrt_buffer_map); else the array is
 * taken. The target's rows and columns around the matrix become 0. Arrays of length 0 are left out: scales are 1, terms 0.
 * row_scales [rows] or [1], column_scales, bias, norm_weight, norm_bias [columns], addend and out [rows, columns] (they
 * may be the same), target_scales [rows]. */
SOTTO_API int32_t sotto_cpu_rows_pass(uint64_t context, const int64_t *shape, size_t shape_length,
                                      const uint8_t *source, size_t source_length, const float *row_scales,
                                      size_t row_scales_length, const float *column_scales, size_t column_scales_length,
                                      const float *bias, size_t bias_length, const float *addend, size_t addend_length,
                                      float *out, size_t out_length, const float *norm_weight,
                                      size_t norm_weight_length, const float *norm_bias, size_t norm_bias_length,
                                      uint8_t *target, size_t target_length, float *target_scales,
                                      size_t target_scales_length, char *error, size_t error_capacity);

#ifdef __cplusplus
}
#endif
#endif

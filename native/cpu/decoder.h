/* A text decoder: weights as they are stored, ready for `project`.
 *
 * Letters: C state, H heads, D head width, T audio frames (n_audio_ctx), V vocabulary. */
#ifndef SOTTO_DECODER_H
#define SOTTO_DECODER_H

#include "context.h"
#include "mapped_file.h"

typedef struct {
  int32_t n_audio_ctx, n_vocab, n_text_ctx, n_text_state, n_text_head, n_text_layer;
} decoder_dims;

/* [rows, columns] row-major, F16 or F32, in the mapped file or in the decoder's own memory; maybe unaligned. */
typedef struct {
  const void *values;
  int64_t rows, columns;
  int is_f16;
} matrix;

/* A matrix and its bias [rows], NULL for the keys'. */
typedef struct {
  matrix weight;
  const float *bias;
} linear;

typedef struct {
  const float *weight, *bias; /* [C] each */
} layer_norm;

typedef struct {
  linear query, key, value, out; /* [C, C] */
} attention_weights;

typedef struct {
  layer_norm self_norm;
  attention_weights self;
  layer_norm cross_norm;
  attention_weights cross;
  layer_norm mlp_norm;
  linear up, down; /* [4C, C], [C, 4C] */
} decoder_layer;

typedef struct {
  handle_object object;
  cpu_context *context; /* held */
  decoder_dims dims;
  int64_t head_width;
  matrix tokens;          /* [V, C]: embedding, and output projection */
  const float *positions; /* [n_text_ctx, C] */
  decoder_layer *layers;
  layer_norm final_norm;
  int64_t tensors;
  stored_weight *stored; /* [tensors], held as long as the decoder lives: matrices are read in place */
  void **copies;         /* [tensors], of those that are not; else NULL */
  uint8_t *is_half_copy; /* [tensors], whether the copy is F16 rather than F32 */
} text_decoder;

#endif

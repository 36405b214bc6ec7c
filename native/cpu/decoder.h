/* A text decoder: weights as they are stored, or those that a step streams in INT8, ready for `project`.
 *
 * Letters: C state, H heads, D head width, T audio frames (n_audio_ctx), V vocabulary. */
#ifndef SOTTO_DECODER_H
#define SOTTO_DECODER_H

#include "context.h"
#include "mapped_file.h"
#include "rows_i8.h"

typedef struct {
  int32_t n_audio_ctx, n_vocab, n_text_ctx, n_text_state, n_text_head, n_text_layer;
} decoder_dims;

/* What weights are kept in. */
typedef enum { KEPT_F32, KEPT_F16, KEPT_I8 /* rows_i8.h */ } kept_format;

/* [rows, columns] row-major (INT8 as rows_i8.h has it), in the mapped file or in the decoder's own memory; F32 and F16 maybe
 * unaligned. */
typedef struct {
  const void *values;
  int64_t rows, columns;
  kept_format format;
} matrix;

/* Where a row begins; of INT8 one that begins a block. */
static inline const void *matrix_row(const matrix *m, int64_t row) {
  const int64_t offset = m->format == KEPT_I8 ? i8_group_at(row, 0, m->columns) : row * m->columns * (m->format == KEPT_F16 ? 2 : 4);
  return (const char *)m->values + offset;
}

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

/* Weights that are not read in place; `values` is NULL where they are. */
typedef struct {
  void *values;
  kept_format format;
  int64_t rows, columns;
} weight_copy;

typedef struct {
  handle_object object;
  cpu_context *context; /* held */
  int32_t weight_format; /* sotto_weight_format */
  decoder_dims dims;
  int64_t head_width;
  matrix tokens;          /* [V, C]: embedding, and output projection */
  const float *positions; /* [n_text_ctx, C] */
  decoder_layer *layers;
  layer_norm final_norm;
  int64_t tensors;
  stored_weight *stored; /* [tensors], held as long as the decoder lives: matrices are read in place */
  weight_copy *copies;   /* [tensors] */
} text_decoder;

#endif

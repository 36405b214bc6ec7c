/* A decoding session: the caches of one window, and scratch for a step, which others may take part in.
 *
 * Keys are stored by head dimension in blocks of KEY_BLOCK positions, values by position, so that both products of
 * attention are a `combine` that reads its cache in order:
 *
 *   cross keys  I16 [layer, head, ⌈T / 64⌉, D, 64]           cross values  I16 [layer, head, T, D]
 *   self keys   F32 [layer, head, ⌈n_text_ctx / 64⌉, D, 64]  self values   F32 [layer, head, n_text_ctx, D]
 *
 * The cross cache is read whole for every token: for base 37 MB in F32, beside 104 of weights. So it holds whole
 * numbers of 16 bits, with a scale for every block of KEY_BLOCK positions of a head; beside INT8 weights of 8 bits, with
 * a scale for every position: of several windows that step together the caches are more than the weights. */
#ifndef SOTTO_SESSION_H
#define SOTTO_SESSION_H

#include <stdatomic.h>

#include "cancel.h"
#include "decoder.h"
#include "status.h"

enum {
  KEY_BLOCK = 64,
  MAX_HYPOTHESES = 32,
  STEP_ROWS = 64,  /* rows of activations a pass takes: what fits the second-level cache beside the weights */
  STEP_WIDTH = 10, /* C of the activations that threads share: x, attended, product; qkv 3; hidden 4 */
  ATTEND_ROWS = 8  /* rows that attend to one head's cache at a time: their scores stay in the first-level cache */
};

typedef struct {
  handle_object object;
  text_decoder *decoder; /* held */
  int32_t hypotheses;
  atomic_int is_busy;
  int has_features;

  int cross_width; /* bytes of a number of the cross cache: 2, or 1 */
  char *cross_keys, *cross_values;
  float *cross_scales; /* [layer, head, 2 (keys, values), cross_scale_count] */
  float *caches[MAX_HYPOTHESES]; /* of each sequence: self keys, then self values */
  int32_t filled[MAX_HYPOTHESES]; /* positions that are valid in each */

  /* Scratch: activations [STEP_ROWS, STEP_WIDTH · C], and for each thread what scratch_floats says. */
  float *x;
  float *scratch;
  int16_t *codes; /* NULL where no weights are INT8; else of each thread [STEP_ROWS, code_stride] */
} decoder_session;

/* Between rows of activations as `project_i8` takes them. */
static inline int64_t code_stride(const text_decoder *decoder) { return i8_codes(4 * (int64_t)decoder->dims.n_text_state); }

static inline int64_t key_blocks(int64_t positions) { return (positions + KEY_BLOCK - 1) / KEY_BLOCK; }

/* Floats of one sequence's self keys; its values follow. */
static inline int64_t self_key_floats(const text_decoder *decoder) {
  return decoder->dims.n_text_layer * key_blocks(decoder->dims.n_text_ctx) * KEY_BLOCK * decoder->dims.n_text_state;
}

static inline int64_t self_value_floats(const text_decoder *decoder) {
  return (int64_t)decoder->dims.n_text_layer * decoder->dims.n_text_ctx * decoder->dims.n_text_state;
}

/* Where one head's keys and values begin. `head` counts over all layers: layer · H + head. */
static inline float *self_keys(const decoder_session *session, int sequence, int64_t head) {
  const text_decoder *decoder = session->decoder;
  return session->caches[sequence] + head * key_blocks(decoder->dims.n_text_ctx) * KEY_BLOCK * decoder->head_width;
}

static inline float *self_values(const decoder_session *session, int sequence, int64_t head) {
  const text_decoder *decoder = session->decoder;
  return session->caches[sequence] + self_key_floats(decoder) + head * decoder->dims.n_text_ctx * decoder->head_width;
}

static inline char *cross_keys(const decoder_session *session, int64_t head) {
  const text_decoder *decoder = session->decoder;
  const int64_t count = key_blocks(decoder->dims.n_audio_ctx) * KEY_BLOCK * decoder->head_width;
  return session->cross_keys + head * count * session->cross_width;
}

static inline char *cross_values(const decoder_session *session, int64_t head) {
  const text_decoder *decoder = session->decoder;
  return session->cross_values + head * decoder->dims.n_audio_ctx * decoder->head_width * session->cross_width;
}

/* Scales of a head's keys, one a block or one a position; as many of its values follow. */
static inline int64_t cross_scale_count(const decoder_session *session) {
  const int64_t T = session->decoder->dims.n_audio_ctx;
  return session->cross_width == 1 ? T : key_blocks(T);
}

static inline float *cross_scales(const decoder_session *session, int64_t head) {
  return session->cross_scales + head * 2 * cross_scale_count(session);
}

/* Floats of scratch a thread needs in a step. */
int64_t scratch_floats(const text_decoder *decoder);

/* Fills the cross caches from features [T, C]. SOTTO_CANCELLED leaves them unfinished. */
int32_t compute_cross_cache(decoder_session *session, const float *features, cancel_watch *cancel, error_sink error);

/* What one session is given in a step: tokens [sequences, count] at `position`, and which of them logits are wanted of. */
typedef struct {
  decoder_session *session;
  const int32_t *tokens; /* [sequences, count] */
  int32_t sequences, count, position;
  const int32_t *rows; /* [row_count] */
  int64_t row_count;
  float *logits; /* [sequences, row_count, V] */
} advance;

/* A checked step of sessions of one decoder. */
typedef struct {
  const advance *advances;
  int32_t count;
  const struct alignment *alignment; /* NULL: a step; else there are no rows, and one sequence */
  cancel_watch *cancel;
} step_request;

/* What a call of sotto_cpu_session_align wants beside. */
typedef struct alignment {
  const int32_t *heads; /* [head_count, 2] */
  int64_t head_count;
  int32_t vocabulary;
  float *scores;        /* [head_count, count, T] */
  float *probabilities; /* [count] */
  float *logits;        /* scratch [STEP_ROWS, V] */
} alignment;

/* Every entry of a session's lies between these two: they hold it, and refuse a second call meanwhile. */
int32_t session_begin(uint64_t handle, decoder_session **session, error_sink error);
int32_t session_end(decoder_session *session, int32_t status);

/* Takes a call's `cancel` [1], or none. */
int32_t take_cancel(const int32_t *cancel, size_t length, cancel_watch *watch, error_sink error);

/* Runs the decoder over new tokens, on all threads, with the first session's scratch, and says what the sequences hold
 * then. SOTTO_CANCELLED: what they held before the new tokens. */
int32_t advance_all(const step_request *request, error_sink error);

/* What it runs: cancelled, numbers are any, and keys and values of the new tokens too. */
void run_step(const step_request *request);

#endif

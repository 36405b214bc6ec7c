/* One thread's view of a pass of new tokens through the decoder's layers.
 *
 * The new tokens of all sequences of all sessions, one behind the other, are rows of activations. A pass takes up to
 * STEP_ROWS of them, so that a long prompt goes through the layers in several passes, and every pass reads every weight
 * once for all its rows. */
#ifndef SOTTO_DECODER_PASS_H
#define SOTTO_DECODER_PASS_H

#include "phase_barrier.h"
#include "session.h"

typedef struct {
  const step_request *request;
  phase_barrier barrier;
  atomic_int is_over; /* cancelled between two passes */
} step_job;

/* Rows of a pass that are neighbouring tokens of one sequence. */
typedef struct {
  const advance *of;
  int sequence;
  int64_t row;   /* where they begin in the pass */
  int64_t first; /* the first of them among the sequence's new tokens */
  int64_t span;  /* how many */
} token_run;

/* Up to ATTEND_ROWS rows of one session, whatever sequence they belong to: they share its window. */
typedef struct {
  const advance *of;
  int64_t row, rows;
} window_rows;

typedef struct {
  step_job *job;
  const text_decoder *decoder;
  const kernel_table *kernels;
  int part, parts;
  int64_t C, H, D;
  /* Whether a thread takes the same heads in the projections before attention and in attention itself: then it need
   * not wait for others between them. */
  int is_by_heads;
  int64_t rows;
  token_run runs[STEP_ROWS];
  int64_t run_count;
  window_rows windows[STEP_ROWS];
  int64_t window_count;

  /* Activations [STEP_ROWS, …], shared by the threads. */
  float *x, *qkv, *attended, *product, *hidden;
  /* This thread's own. */
  float *normed;  /* [STEP_ROWS, C] */
  float *scores;  /* [ATTEND_ROWS, score_stride] */
  int16_t *codes; /* [STEP_ROWS, code_stride], where weights are INT8 */
} pass;

static inline share part_of(const pass *p, int64_t count, int64_t grain) {
  return share_of(count, grain, p->part, p->parts);
}

/* Whether to leave out work. Barriers are never left out: threads need not agree on when they see it. */
static inline int is_stopped(const pass *p) { return is_cancelled(p->job->request->cancel); }

/* Waits for the other threads. */
static inline void end_phase(const pass *p) { phase_end(&p->job->barrier); }

/* Appends the new keys and values of `qkv` to the caches, and attends to them: `attended`. */
void self_attention(const pass *p, int64_t layer);

/* Attends to the windows with the queries in the first third of `qkv`, whose rows lie C apart: `attended`. */
void cross_attention(const pass *p, int64_t layer);

/* Floats of a thread's scores. */
int64_t score_floats(const text_decoder *decoder);

#endif

/* sotto_cpu_sessions_step: what is asked of each session, checked. */
#include <inttypes.h>

#include "session.h"

/* Room of the request's arrays that no session has taken yet. */
typedef struct {
  const int32_t *tokens, *rows;
  float *logits;
  size_t token_count, row_count, logit_count;
} remaining;

static int32_t check_shape(const decoder_session *session, const int32_t shape[SOTTO_ADVANCE_WORDS], error_sink error) {
  const decoder_dims *dims = &session->decoder->dims;
  const int32_t sequences = shape[0], count = shape[1], position = shape[2], rows = shape[3];
  if (!session->has_features)
    return fail(error, SOTTO_INVALID_ARGUMENT, "Cannot decode because no features were set");
  if (sequences < 1 || sequences > session->hypotheses)
    return fail(error, SOTTO_INVALID_ARGUMENT, "Cannot decode because sequences must be 1 to %d: got %d",
                session->hypotheses, sequences);
  if (count < 1 || position < 0 || position > dims->n_text_ctx || count > dims->n_text_ctx - position)
    return fail(error, SOTTO_INVALID_ARGUMENT,
                "Cannot decode because the context has %d positions, and a step takes at least 1 token: got %d tokens at "
                "position %d",
                dims->n_text_ctx, count, position);
  if (rows < 0)
    return fail(error, SOTTO_INVALID_ARGUMENT, "Cannot decode because rows must be 0 or more: got %d", rows);
  for (int32_t s = 0; s < sequences; s++)
    if (position > session->filled[s])
      return fail(error, SOTTO_INVALID_ARGUMENT,
                  "Cannot decode because sequence %d holds %d tokens: got position %d", s, session->filled[s],
                  position);
  return SOTTO_OK;
}

int32_t advance_all(const step_request *request, error_sink error) {
  run_step(request);
  const int is_done = !was_cancelled(request->cancel);
  for (const advance *of = request->advances; of < request->advances + request->count; of++)
    for (int32_t s = 0; s < of->sequences; s++) of->session->filled[s] = of->position + (is_done ? of->count : 0);
  return is_done ? SOTTO_OK : fail(error, SOTTO_CANCELLED, "Cancelled while new tokens were read");
}

/* Takes from the arrays what a session is given by its shape. */
static int32_t take(decoder_session *session, const int32_t shape[SOTTO_ADVANCE_WORDS], remaining *left, advance *taken,
                    error_sink error) {
  const int32_t status = check_shape(session, shape, error);
  if (status != SOTTO_OK) return status;
  const decoder_dims *dims = &session->decoder->dims;
  const size_t sequences = (size_t)shape[0], rows = (size_t)shape[3], V = (size_t)dims->n_vocab;
  const size_t tokens = sequences * (size_t)shape[1];
  if (left->tokens == NULL || left->token_count < tokens)
    return fail(error, SOTTO_INVALID_ARGUMENT, "Cannot decode because %zu tokens are needed: got %zu", tokens,
                left->tokens == NULL ? 0 : left->token_count);
  for (size_t i = 0; i < tokens; i++)
    if (left->tokens[i] < 0 || left->tokens[i] >= dims->n_vocab)
      return fail(error, SOTTO_INVALID_ARGUMENT, "Cannot decode because tokens must be 0 to %d: got %d",
                  dims->n_vocab - 1, left->tokens[i]);
  if (left->row_count < rows || (left->rows == NULL && rows > 0))
    return fail(error, SOTTO_INVALID_ARGUMENT, "Cannot decode because %zu rows are needed: got %zu", rows,
                left->rows == NULL ? 0 : left->row_count);
  for (size_t i = 0; i < rows; i++)
    if (left->rows[i] < 0 || left->rows[i] >= shape[1])
      return fail(error, SOTTO_INVALID_ARGUMENT, "Cannot decode because rows must be 0 to %d: got %d", shape[1] - 1,
                  left->rows[i]);
  /* Rows may repeat, so their number has no bound of its own: divide, for a product could overflow. */
  if (left->logit_count / V / sequences < rows || (left->logits == NULL && rows > 0))
    return fail(error, SOTTO_INVALID_ARGUMENT,
                "Cannot decode because logits [%d, %zu, %d] do not fit their array: got %zu values", shape[0], rows,
                dims->n_vocab, left->logits == NULL ? 0 : left->logit_count);
  *taken = (advance){.session = session,
                     .tokens = left->tokens,
                     .sequences = shape[0],
                     .count = shape[1],
                     .position = shape[2],
                     .rows = left->rows,
                     .row_count = shape[3],
                     .logits = left->logits};
  const size_t logits = sequences * rows * V;
  left->tokens += tokens;
  left->token_count -= tokens;
  if (rows > 0) left->rows += rows, left->logits += logits;
  left->row_count -= rows;
  left->logit_count -= logits;
  return SOTTO_OK;
}

/* Holds the sessions and takes what each is given; `held` counts those that have to be let go. */
static int32_t begin_all(const uint64_t *handles, const int32_t *shapes, int32_t count, remaining *left,
                         advance *advances, int32_t *held, error_sink error) {
  for (int32_t i = 0; i < count; i++) {
    decoder_session *session;
    int32_t status = session_begin(handles[i], &session, error);
    if (status != SOTTO_OK) return status;
    advances[(*held)++].session = session;
    if (session->decoder != advances[0].session->decoder)
      return fail(error, SOTTO_INVALID_ARGUMENT,
                  "Cannot decode because the sessions of a step must be of one decoder: session %d is not", i);
    status = take(session, shapes + i * SOTTO_ADVANCE_WORDS, left, &advances[i], error);
    if (status != SOTTO_OK) return status;
  }
  if (left->token_count > 0 || left->row_count > 0 || left->logit_count > 0)
    return fail(error, SOTTO_INVALID_ARGUMENT,
                "Cannot decode because there are more tokens, rows or logits than the sessions take: got %zu, %zu and %zu "
                "too many",
                left->token_count, left->row_count, left->logit_count);
  return SOTTO_OK;
}

int32_t sotto_cpu_sessions_step(const uint64_t *sessions, size_t sessions_length, const int32_t *shapes,
                                size_t shapes_length, const int32_t *tokens, size_t tokens_length, const int32_t *rows,
                                size_t rows_length, float *logits, size_t logits_length, const int32_t *cancel,
                                size_t cancel_length, char *text, size_t text_capacity) {
  const error_sink error = {text, text_capacity};
  if (sessions == NULL || sessions_length < 1 || sessions_length > SOTTO_ADVANCE_SESSIONS)
    return fail(error, SOTTO_INVALID_ARGUMENT, "Cannot decode because there must be 1 to %d sessions: got %zu",
                SOTTO_ADVANCE_SESSIONS, sessions == NULL ? 0 : sessions_length);
  if (shapes == NULL || shapes_length != sessions_length * SOTTO_ADVANCE_WORDS)
    return fail(error, SOTTO_INVALID_ARGUMENT, "Cannot decode because %zu sessions have shapes of %zu words: got %zu",
                sessions_length, sessions_length * SOTTO_ADVANCE_WORDS, shapes == NULL ? 0 : shapes_length);
  advance advances[SOTTO_ADVANCE_SESSIONS];
  cancel_watch watch;
  const step_request request = {.advances = advances, .count = (int32_t)sessions_length, .cancel = &watch};
  remaining left = {tokens, rows, logits, tokens_length, rows_length, logits_length};
  int32_t held = 0, status = take_cancel(cancel, cancel_length, &watch, error);
  if (status == SOTTO_OK) status = begin_all(sessions, shapes, request.count, &left, advances, &held, error);
  if (status == SOTTO_OK) status = advance_all(&request, error);
  while (held > 0) session_end(advances[--held].session, status);
  return status;
}

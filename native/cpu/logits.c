/* sotto_cpu_session_best_logits, sotto_cpu_session_sum_logits: the passes over a vocabulary that choosing a token takes.
 * They are over before another thread would have begun. */
#include "session.h"

/* The session, if it is open and the part lies within the logits. */
static int32_t acquire(uint64_t handle, const float *logits, size_t length, int32_t from, int32_t to,
                       decoder_session **session, error_sink error) {
  if (logits == NULL || from < 0 || to < from || (size_t)to > length)
    return fail(error, SOTTO_INVALID_ARGUMENT, "Cannot read logits because %d to %d must lie within them: got %zu", from, to,
                logits == NULL ? 0 : length);
  *session = (decoder_session *)handle_acquire(handle, HANDLE_SESSION);
  return *session != NULL ? SOTTO_OK
                          : fail(error, SOTTO_INVALID_HANDLE, "Cannot read logits because the decoding session is not open");
}

int32_t sotto_cpu_session_best_logits(uint64_t handle, const float *logits, size_t logits_length, int32_t from, int32_t to,
                                      int32_t *tokens, size_t tokens_length, int32_t *count, size_t count_length, char *text,
                                      size_t text_capacity) {
  const error_sink error = {text, text_capacity};
  if (tokens == NULL || tokens_length < 1 || count == NULL || count_length != 1)
    return fail(error, SOTTO_INVALID_ARGUMENT, "Cannot read logits because one count and tokens must be written: got %zu and %zu",
                count == NULL ? 0 : count_length, tokens == NULL ? 0 : tokens_length);
  decoder_session *session;
  const int32_t status = acquire(handle, logits, logits_length, from, to, &session, error);
  if (status != SOTTO_OK) return status;
  const int64_t found =
      session->decoder->context->kernels->highest(logits + from, to - from, (int64_t)tokens_length, tokens);
  for (int64_t i = 0; i < found; i++) tokens[i] += from;
  *count = (int32_t)found;
  object_release(&session->object);
  return SOTTO_OK;
}

int32_t sotto_cpu_session_sum_logits(uint64_t handle, const float *logits, size_t logits_length, int32_t from, int32_t to,
                                     float highest, double *sum, size_t sum_length, char *text, size_t text_capacity) {
  const error_sink error = {text, text_capacity};
  if (sum == NULL || sum_length != 1)
    return fail(error, SOTTO_INVALID_ARGUMENT, "Cannot read logits because one sum must be written: got %zu",
                sum == NULL ? 0 : sum_length);
  decoder_session *session;
  const int32_t status = acquire(handle, logits, logits_length, from, to, &session, error);
  if (status != SOTTO_OK) return status;
  *sum = session->decoder->context->kernels->sum_exp(logits + from, to - from, highest);
  object_release(&session->object);
  return SOTTO_OK;
}

/* sotto_cpu_session_align: a text that is known goes through the decoder at once, and the chosen heads' scores with the
 * tokens' probabilities are kept on the way (decoder_step.c). */
#include "memory.h"
#include "session.h"

/* Whether the tokens are a sequence that the decoder can take. */
static int32_t check_tokens(const decoder_session *session, const int32_t *tokens, size_t count, error_sink error) {
  const decoder_dims *dims = &session->decoder->dims;
  if (!session->has_features)
    return fail(error, SOTTO_INVALID_ARGUMENT, "Cannot align because no features were set");
  if (tokens == NULL || count < 1 || count > (size_t)dims->n_text_ctx)
    return fail(error, SOTTO_INVALID_ARGUMENT, "Cannot align because there must be 1 to %d tokens: got %zu",
                dims->n_text_ctx, tokens == NULL ? 0 : count);
  for (size_t i = 0; i < count; i++)
    if (tokens[i] < 0 || tokens[i] >= dims->n_vocab)
      return fail(error, SOTTO_INVALID_ARGUMENT, "Cannot align because tokens must be 0 to %d: got %d",
                  dims->n_vocab - 1, tokens[i]);
  return SOTTO_OK;
}

/* Whether the heads are the model's, and all different: each has one place in `scores`. */
static int32_t check_heads(const decoder_dims *dims, const int32_t *heads, size_t heads_length, error_sink error) {
  if (heads == NULL || heads_length < 2 || heads_length % 2 != 0 ||
      heads_length / 2 > (size_t)dims->n_text_layer * (size_t)dims->n_text_head)
    return fail(error, SOTTO_INVALID_ARGUMENT, "Cannot align because heads must be 1 to %d pairs: got %zu values",
                dims->n_text_layer * dims->n_text_head, heads == NULL ? 0 : heads_length);
  for (size_t i = 0; i < heads_length; i += 2) {
    const int32_t layer = heads[i], head = heads[i + 1];
    if (layer < 0 || layer >= dims->n_text_layer || head < 0 || head >= dims->n_text_head)
      return fail(error, SOTTO_INVALID_ARGUMENT,
                  "Cannot align because a head must lie below [%d, %d]: got [%d, %d]", dims->n_text_layer,
                  dims->n_text_head, layer, head);
    for (size_t j = 0; j < i; j += 2)
      if (heads[j] == layer && heads[j + 1] == head)
        return fail(error, SOTTO_INVALID_ARGUMENT, "Cannot align because heads must differ: got [%d, %d] twice",
                    layer, head);
  }
  return SOTTO_OK;
}

static int32_t check_results(const decoder_dims *dims, size_t count, const alignment *wanted, size_t scores_length,
                             size_t probabilities_length, error_sink error) {
  if (wanted->vocabulary < 1 || wanted->vocabulary > dims->n_vocab)
    return fail(error, SOTTO_INVALID_ARGUMENT, "Cannot align because vocabulary must be 1 to %d: got %d", dims->n_vocab,
                wanted->vocabulary);
  const size_t needed = (size_t)wanted->head_count * count * (size_t)dims->n_audio_ctx;
  if (wanted->scores == NULL || scores_length != needed)
    return fail(error, SOTTO_INVALID_ARGUMENT, "Cannot align because scores have %zu values: got %zu", needed,
                wanted->scores == NULL ? 0 : scores_length);
  if (wanted->probabilities == NULL || probabilities_length != count)
    return fail(error, SOTTO_INVALID_ARGUMENT, "Cannot align because there are %zu probabilities: got %zu", count,
                wanted->probabilities == NULL ? 0 : probabilities_length);
  return SOTTO_OK;
}

int32_t sotto_cpu_session_align(uint64_t handle, const int32_t *tokens, size_t tokens_length, const int32_t *heads,
                                size_t heads_length, int32_t vocabulary, float *scores, size_t scores_length,
                                float *probabilities, size_t probabilities_length, char *text, size_t text_capacity) {
  const error_sink error = {text, text_capacity};
  decoder_session *session;
  int32_t status = session_begin(handle, &session, error);
  if (status != SOTTO_OK) return status;
  const decoder_dims *dims = &session->decoder->dims;
  alignment wanted = {.heads = heads,
                      .head_count = (int64_t)(heads_length / 2),
                      .vocabulary = vocabulary,
                      .scores = scores,
                      .probabilities = probabilities};
  status = check_tokens(session, tokens, tokens_length, error);
  if (status == SOTTO_OK) status = check_heads(dims, heads, heads_length, error);
  if (status == SOTTO_OK)
    status = check_results(dims, tokens_length, &wanted, scores_length, probabilities_length, error);
  if (status != SOTTO_OK) return session_end(session, status);
  /* Large, and wanted once a window: not kept. */
  wanted.logits = memory_allocate((size_t)STEP_ROWS * (size_t)dims->n_vocab * sizeof *wanted.logits);
  if (wanted.logits == NULL)
    return session_end(session, fail(error, SOTTO_OUT_OF_MEMORY, "Cannot align because memory was refused"));
  const advance text_only = {.session = session, .tokens = tokens, .sequences = 1, .count = (int32_t)tokens_length};
  const step_request request = {.advances = &text_only, .count = 1, .alignment = &wanted};
  probabilities[0] = 0;
  run_step(&request);
  session->filled[0] = text_only.count;
  memory_free(wanted.logits);
  return session_end(session, SOTTO_OK);
}

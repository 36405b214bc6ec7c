/* sotto_cpu_session_align: a text that is known goes through the decoder at once, the chosen heads' scores and the
 * tokens' probabilities are kept on the way (decoder_step.c), and the scores become a path (alignment_path.c). */
#include <string.h>

#include "alignment_path.h"
#include "memory.h"
#include "scratch.h"
#include "session.h"

/* Whether the tokens are a sequence that the decoder can take. */
static int32_t check_tokens(const decoder_session *session, const int32_t *tokens, size_t count, error_sink error) {
  const decoder_dims *dims = &session->decoder->dims;
  if (!session->has_features)
    return fail(error, SOTTO_INVALID_ARGUMENT, "Cannot align because no features were set");
  if (tokens == NULL || count < 2 || count > (size_t)dims->n_text_ctx)
    return fail(error, SOTTO_INVALID_ARGUMENT, "Cannot align because there must be 2 to %d tokens: got %zu",
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

/* Lengths of what a call writes. */
typedef struct {
  const float *scores;
  size_t scores_length;
  size_t probabilities_length;
  size_t entries_length;
} result_lengths;

static int32_t check_results(const decoder_dims *dims, size_t count, const alignment *wanted, const alignment_path *path,
                             const result_lengths *lengths, error_sink error) {
  if (wanted->vocabulary < 1 || wanted->vocabulary > dims->n_vocab)
    return fail(error, SOTTO_INVALID_ARGUMENT, "Cannot align because vocabulary must be 1 to %d: got %d", dims->n_vocab,
                wanted->vocabulary);
  if (path->start < 1 || path->start >= path->tokens)
    return fail(error, SOTTO_INVALID_ARGUMENT, "Cannot align because start must be 1 to %zu: got %lld", count - 1,
                (long long)path->start);
  if (path->held < 1 || path->held > path->positions)
    return fail(error, SOTTO_INVALID_ARGUMENT, "Cannot align because positions must be 1 to %d: got %lld",
                dims->n_audio_ctx, (long long)path->held);
  const size_t needed = (size_t)wanted->head_count * count * (size_t)dims->n_audio_ctx;
  if (lengths->scores_length != 0 && (lengths->scores == NULL || lengths->scores_length != needed))
    return fail(error, SOTTO_INVALID_ARGUMENT, "Cannot align because scores have %zu values: got %zu", needed,
                lengths->scores == NULL ? 0 : lengths->scores_length);
  if (wanted->probabilities == NULL || lengths->probabilities_length != count)
    return fail(error, SOTTO_INVALID_ARGUMENT, "Cannot align because there are %zu probabilities: got %zu", count,
                wanted->probabilities == NULL ? 0 : lengths->probabilities_length);
  const size_t rows = count - (size_t)path->start;
  if (path->entries == NULL || lengths->entries_length != rows)
    return fail(error, SOTTO_INVALID_ARGUMENT, "Cannot align because there are %zu entries: got %zu", rows,
                path->entries == NULL ? 0 : lengths->entries_length);
  return SOTTO_OK;
}

/* `count` floats, and as many more as keep what follows them aligned. */
static size_t aligned_floats(size_t count) { return round_up(count, SOTTO_ALIGNMENT / sizeof(float)); }

int32_t sotto_cpu_session_align(uint64_t handle, const int32_t *tokens, size_t tokens_length, const int32_t *heads,
                                size_t heads_length, int32_t vocabulary, int32_t start, int32_t positions, float *scores,
                                size_t scores_length, float *probabilities, size_t probabilities_length,
                                int32_t *entries, size_t entries_length, const int32_t *cancel, size_t cancel_length,
                                char *text, size_t text_capacity) {
  const error_sink error = {text, text_capacity};
  decoder_session *session;
  cancel_watch watch;
  int32_t status = take_cancel(cancel, cancel_length, &watch, error);
  if (status == SOTTO_OK) status = session_begin(handle, &session, error);
  if (status != SOTTO_OK) return status;
  const text_decoder *decoder = session->decoder;
  const decoder_dims *dims = &decoder->dims;
  alignment wanted = {.heads = heads,
                      .head_count = (int64_t)(heads_length / 2),
                      .vocabulary = vocabulary,
                      .probabilities = probabilities};
  alignment_path path = {.heads = wanted.head_count,
                         .tokens = (int64_t)tokens_length,
                         .positions = dims->n_audio_ctx,
                         .held = positions,
                         .start = start,
                         .entries = entries};
  const result_lengths lengths = {scores, scores_length, probabilities_length, entries_length};
  status = check_tokens(session, tokens, tokens_length, error);
  if (status == SOTTO_OK) status = check_heads(dims, heads, heads_length, error);
  if (status == SOTTO_OK) status = check_results(dims, tokens_length, &wanted, &path, &lengths, error);
  if (status != SOTTO_OK) return session_end(session, status);
  const size_t logit_floats = aligned_floats((size_t)STEP_ROWS * (size_t)dims->n_vocab);
  const size_t score_count = (size_t)(path.heads * path.tokens * path.positions);
  const size_t path_floats = path_scratch_floats(&path, pool_threads(decoder->context->pool));
  float *const memory =
      scratch_take(decoder->context, (logit_floats + aligned_floats(score_count) + path_floats) * sizeof *memory);
  if (memory == NULL)
    return session_end(session, fail(error, SOTTO_OUT_OF_MEMORY, "Cannot align because memory was refused"));
  wanted.logits = memory;
  wanted.scores = path.scores = memory + logit_floats;
  path.scratch = path.scores + aligned_floats(score_count);
  const advance text_only = {.session = session, .tokens = tokens, .sequences = 1, .count = (int32_t)tokens_length};
  const step_request request = {.advances = &text_only, .count = 1, .alignment = &wanted, .cancel = &watch};
  probabilities[0] = 0;
  status = advance_all(&request, error);
  if (status == SOTTO_OK && scores_length > 0) memcpy(scores, path.scores, score_count * sizeof *scores);
  if (status == SOTTO_OK) find_path(decoder->context, &path);
  scratch_give(decoder->context, memory);
  return session_end(session, status);
}

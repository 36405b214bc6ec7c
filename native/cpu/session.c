/* sotto_cpu_session_*: memory, features, and the order of the hypotheses. */
#include "session.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"

static void free_session(handle_object *object) {
  decoder_session *session = (decoder_session *)object;
  memory_free(session->cross_keys);
  memory_free(session->cross_values);
  memory_free(session->cross_scales);
  for (int32_t i = 0; i < session->hypotheses; i++) free(session->caches[i]);
  memory_free(session->x);
  memory_free(session->scratch);
  memory_free(session->codes);
  if (session->decoder != NULL) object_release(&session->decoder->object);
  free(session);
}

static float *allocate_floats(int64_t count, int *is_refused) {
  float *memory = memory_allocate((size_t)count * sizeof *memory);
  if (memory == NULL) *is_refused = 1;
  return memory;
}

/* The caches of a sequence are touched only as they fill, so room for the longest context costs little until then: in
 * pages of the common size, for large ones would take all of it at the first token. */
static float *allocate_cache(const text_decoder *decoder, int *is_refused) {
  const size_t bytes = (size_t)(self_key_floats(decoder) + self_value_floats(decoder)) * sizeof(float);
  float *memory = aligned_alloc(SOTTO_ALIGNMENT, round_up(bytes, SOTTO_ALIGNMENT));
  if (memory == NULL) *is_refused = 1;
  return memory;
}

static int allocate(decoder_session *session) {
  const text_decoder *decoder = session->decoder;
  const int64_t C = decoder->dims.n_text_state, layers = decoder->dims.n_text_layer, T = decoder->dims.n_audio_ctx;
  int is_refused = 0;
  session->cross_width = decoder->weight_format == SOTTO_WEIGHTS_I8 ? 1 : 2;
  session->cross_keys = memory_allocate((size_t)(layers * key_blocks(T) * KEY_BLOCK * C * session->cross_width));
  session->cross_values = memory_allocate((size_t)(layers * T * C * session->cross_width));
  session->cross_scales = allocate_floats(layers * decoder->dims.n_text_head * 2 * cross_scale_count(session), &is_refused);
  if (session->cross_keys == NULL || session->cross_values == NULL) is_refused = 1;
  for (int32_t i = 0; i < session->hypotheses; i++)
    session->caches[i] = allocate_cache(decoder, &is_refused);
  session->x = allocate_floats(STEP_ROWS * STEP_WIDTH * C, &is_refused);
  session->scratch = allocate_floats(pool_threads(decoder->context->pool) * scratch_floats(decoder), &is_refused);
  if (decoder->weight_format == SOTTO_WEIGHTS_I8) {
    const int64_t codes = pool_threads(decoder->context->pool) * STEP_ROWS * code_stride(decoder);
    session->codes = memory_allocate((size_t)codes * sizeof *session->codes);
    if (session->codes == NULL) is_refused = 1;
  }
  return !is_refused;
}

int32_t sotto_cpu_session_create(uint64_t decoder, int32_t hypotheses, uint64_t *session, char *text,
                                 size_t text_capacity) {
  const error_sink error = {text, text_capacity};
  if (session == NULL)
    return fail(error, SOTTO_INVALID_ARGUMENT, "Cannot open a decoding session because a pointer is missing");
  *session = 0;
  if (hypotheses < 1 || hypotheses > MAX_HYPOTHESES)
    return fail(error, SOTTO_INVALID_ARGUMENT,
                "Cannot open a decoding session because hypotheses must be 1 to %d: got %d", MAX_HYPOTHESES,
                hypotheses);
  text_decoder *owner = (text_decoder *)handle_acquire(decoder, HANDLE_DECODER);
  if (owner == NULL)
    return fail(error, SOTTO_INVALID_HANDLE, "Cannot open a decoding session because the decoder is not open");
  decoder_session *made = calloc(1, sizeof *made);
  if (made == NULL) {
    object_release(&owner->object);
    return fail(error, SOTTO_OUT_OF_MEMORY, "Cannot open a decoding session because memory was refused");
  }
  made->object = (handle_object){.kind = HANDLE_SESSION, .free_object = free_session};
  made->decoder = owner;
  made->hypotheses = hypotheses;
  if (!allocate(made) || (*session = handle_enter(&made->object)) == 0) {
    free_session(&made->object);
    return fail(error, SOTTO_OUT_OF_MEMORY, "Cannot open a decoding session because memory for %d hypotheses was refused",
                hypotheses);
  }
  return SOTTO_OK;
}

/* ---- One call at a time. */

int32_t session_begin(uint64_t handle, decoder_session **session, error_sink error) {
  *session = (decoder_session *)handle_acquire(handle, HANDLE_SESSION);
  if (*session == NULL)
    return fail(error, SOTTO_INVALID_HANDLE, "Cannot use a decoding session because it is not open");
  if (atomic_exchange_explicit(&(*session)->is_busy, 1, memory_order_acquire)) {
    object_release(&(*session)->object);
    return fail(error, SOTTO_BUSY, "Cannot use a decoding session because another call is running on it");
  }
  return SOTTO_OK;
}

int32_t session_end(decoder_session *session, int32_t status) {
  atomic_store_explicit(&session->is_busy, 0, memory_order_release);
  object_release(&session->object);
  return status;
}

int32_t take_cancel(const int32_t *cancel, size_t length, cancel_watch *watch, error_sink error) {
  if (length > 1 || (cancel == NULL && length > 0))
    return fail(error, SOTTO_INVALID_ARGUMENT, "Cannot watch for cancelling because it must be 1 number or none: got %zu",
                cancel == NULL ? 0 : length);
  *watch = (cancel_watch){.flag = length == 0 ? NULL : (const atomic_int *)cancel};
  return SOTTO_OK;
}

int32_t sotto_cpu_session_set_features(uint64_t handle, const float *features, size_t features_length,
                                       const int32_t *cancel, size_t cancel_length, char *text, size_t text_capacity) {
  const error_sink error = {text, text_capacity};
  decoder_session *session;
  cancel_watch watch;
  int32_t status = take_cancel(cancel, cancel_length, &watch, error);
  if (status == SOTTO_OK) status = session_begin(handle, &session, error);
  if (status != SOTTO_OK) return status;
  const decoder_dims *dims = &session->decoder->dims;
  const size_t needed = (size_t)dims->n_audio_ctx * (size_t)dims->n_text_state;
  if (features == NULL || features_length != needed)
    return session_end(session, fail(error, SOTTO_INVALID_ARGUMENT,
                                  "Cannot set features because [%d, %d] has %zu values: got %zu", dims->n_audio_ctx,
                                  dims->n_text_state, needed, features == NULL ? 0 : features_length));
  status = compute_cross_cache(session, features, &watch, error);
  memset(session->filled, 0, sizeof session->filled);
  session->has_features = status == SOTTO_OK;
  return session_end(session, status);
}

/* ---- Reordering. */

typedef struct {
  const decoder_session *session;
  int32_t from[MAX_HYPOTHESES], to[MAX_HYPOTHESES];
  int count;
} copy_job;

/* Copies what is filled of some sequences; a task is one head of one of them. */
static void copy_part(void *argument, int part, int parts) {
  const copy_job *job = argument;
  const text_decoder *decoder = job->session->decoder;
  const int64_t heads = (int64_t)decoder->dims.n_text_layer * decoder->dims.n_text_head, D = decoder->head_width;
  const share tasks = share_of(job->count * heads, 1, part, parts);
  for (int64_t task = tasks.begin; task < tasks.end; task++) {
    const int from = job->from[task / heads], to = job->to[task / heads];
    const int64_t head = task % heads, filled = job->session->filled[from];
    memcpy(self_keys(job->session, to, head), self_keys(job->session, from, head),
           (size_t)(key_blocks(filled) * KEY_BLOCK * D) * sizeof(float));
    memcpy(self_values(job->session, to, head), self_values(job->session, from, head),
           (size_t)(filled * D) * sizeof(float));
  }
}

/* The first sequence that wants a source takes its cache as it is; only further ones copy, into caches that no one
 * wants any more. */
static void reorder(decoder_session *session, const int32_t *sources, int32_t count) {
  float *caches[MAX_HYPOTHESES] = {0};
  int32_t filled[MAX_HYPOTHESES], taker[MAX_HYPOTHESES];
  copy_job job = {.session = session};
  for (int32_t i = 0; i < session->hypotheses; i++) taker[i] = -1;
  for (int32_t i = 0; i < session->hypotheses; i++) {
    const int32_t source = i < count ? sources[i] : i; /* those behind stay as they are */
    filled[i] = session->filled[source];
    if (taker[source] < 0) {
      taker[source] = i;
      caches[i] = session->caches[source];
    } else {
      job.from[job.count] = taker[source];
      job.to[job.count++] = i;
    }
  }
  int32_t unused = 0;
  for (int32_t i = 0; i < session->hypotheses; i++) {
    if (caches[i] != NULL) continue;
    while (taker[unused] >= 0) unused++;
    caches[i] = session->caches[unused++];
  }
  memcpy(session->caches, caches, sizeof caches);
  memcpy(session->filled, filled, sizeof(int32_t) * (size_t)session->hypotheses);
  if (job.count > 0) pool_run(session->decoder->context->pool, copy_part, &job);
}

int32_t sotto_cpu_session_reorder(uint64_t handle, const int32_t *sources, size_t sources_length, char *text,
                                  size_t text_capacity) {
  const error_sink error = {text, text_capacity};
  decoder_session *session;
  int32_t status = session_begin(handle, &session, error);
  if (status != SOTTO_OK) return status;
  if (sources == NULL || sources_length < 1 || sources_length > (size_t)session->hypotheses)
    status = fail(error, SOTTO_INVALID_ARGUMENT, "Cannot reorder because there must be 1 to %d sources: got %zu",
                  session->hypotheses, sources == NULL ? 0 : sources_length);
  for (size_t i = 0; status == SOTTO_OK && i < sources_length; i++)
    if (sources[i] < 0 || sources[i] >= session->hypotheses)
      status = fail(error, SOTTO_INVALID_ARGUMENT, "Cannot reorder because sources must be 0 to %d: got %d",
                    session->hypotheses - 1, sources[i]);
  if (status == SOTTO_OK) reorder(session, sources, (int32_t)sources_length);
  return session_end(session, status);
}

/* Calls of a session that are cancelled: before they begin, and from another thread meanwhile. A call that says it was done
 * has the right bits, and one that was cancelled leaves a session that gives them afterwards. Part of decoder_test.c. */
#if defined(__linux__)
#define _GNU_SOURCE /* nanosleep under -std=c11 */
#endif
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "decoder_model.h"

enum { TOKENS = CONTEXT - 1, SESSIONS = 2, SCORES = TOKENS * T };
static float features[T * C];
static const int32_t head[2] = {1, 0}, shapes[SESSIONS][SOTTO_ADVANCE_WORDS] = {{SEQUENCES, TOKENS, 1, 1}, {1, TOKENS, 1, 1}};

/* What a round of calls computes. */
typedef struct {
  float logits[(SEQUENCES + 1) * V]; /* of both sessions */
  float scores[SCORES], probabilities[TOKENS];
  int32_t entries[TOKENS - 1];
} results;

static int32_t tokens[(SEQUENCES + 1) * TOKENS], rows[SESSIONS] = {TOKENS - 1, TOKENS - 1};

static int32_t first_token(uint64_t session, int32_t sequences) {
  return step_alone(session, tokens, (size_t)sequences, sequences, 0, rows, 0, NULL, 0);
}

static int32_t joint_step(const uint64_t sessions[SESSIONS], results *out, int32_t *cancel) {
  return sotto_cpu_sessions_step(sessions, SESSIONS, shapes[0], SESSIONS * SOTTO_ADVANCE_WORDS, tokens,
                                 (SEQUENCES + 1) * TOKENS, rows, SESSIONS, out->logits, (SEQUENCES + 1) * V, cancel,
                                 cancel != NULL, TEXT);
}

static int32_t align(uint64_t session, results *out, int32_t *cancel) {
  return sotto_cpu_session_align(session, tokens, TOKENS, head, 2, V, 1, T, out->scores, SCORES, out->probabilities, TOKENS,
                                 out->entries, TOKENS - 1, cancel, cancel != NULL, TEXT);
}

static int32_t set_features(uint64_t session, int32_t *cancel) {
  return sotto_cpu_session_set_features(session, features, T * C, cancel, cancel != NULL, TEXT);
}

static void open_sessions(uint64_t decoder, uint64_t sessions[SESSIONS]) {
  for (int i = 0; i < SESSIONS; i++) {
    OK(sotto_cpu_session_create(decoder, shapes[i][0], &sessions[i], TEXT));
    OK(set_features(sessions[i], NULL));
    OK(first_token(sessions[i], shapes[i][0]));
  }
}

/* The wish is there before the call: nothing is computed, and what the session held before is there still. */
static void test_before(const uint64_t sessions[SESSIONS], const results *want) {
  int32_t cancel = 1;
  static results got;
  for (int i = 0; i < (SEQUENCES + 1) * V; i++) got.logits[i] = 7;
  REFUSED(SOTTO_CANCELLED, "new tokens", joint_step(sessions, &got, &cancel));
  for (int i = 0; i < (SEQUENCES + 1) * V; i++) expect(got.logits[i] == 7, "a step that was cancelled computed logits");
  REFUSED(SOTTO_INVALID_ARGUMENT, "holds 1 tokens: got position 2", step_alone(sessions[1], tokens, 1, 1, 2, rows, 0, NULL, 0));
  OK(joint_step(sessions, &got, NULL));
  expect(memcmp(got.logits, want->logits, sizeof got.logits) == 0, "other logits after a cancelled step");

  REFUSED(SOTTO_CANCELLED, "new tokens", align(sessions[1], &got, &cancel));
  REFUSED(SOTTO_INVALID_ARGUMENT, "holds 0 tokens: got position 1", step_alone(sessions[1], tokens, 1, 1, 1, rows, 0, NULL, 0));
  OK(align(sessions[1], &got, NULL));
  expect(memcmp(got.scores, want->scores, sizeof got.scores) == 0, "other scores after a cancelled alignment");

  REFUSED(SOTTO_CANCELLED, "features", set_features(sessions[0], &cancel));
  REFUSED(SOTTO_INVALID_ARGUMENT, "no features", first_token(sessions[0], 1));
  OK(set_features(sessions[0], NULL));
  OK(first_token(sessions[0], SEQUENCES));
  OK(first_token(sessions[1], 1));
  cancel = 0;
  OK(joint_step(sessions, &got, &cancel));
  expect(memcmp(got.logits, want->logits, sizeof got.logits) == 0, "other logits after features were set again");
  REFUSED(SOTTO_INVALID_ARGUMENT, "got 2", sotto_cpu_session_set_features(sessions[0], features, T * C, &cancel, 2, TEXT));
  REFUSED(SOTTO_INVALID_ARGUMENT, "got 0", sotto_cpu_session_set_features(sessions[0], features, T * C, NULL, 1, TEXT));
}

typedef struct {
  int32_t cancel;
  atomic_int is_over;
} wish;

/* Wishes and takes it back, over and over: threads of a call see it at all places, and not all of them. */
static void *waver(void *argument) {
  wish *self = argument;
  for (unsigned turn = 0; !atomic_load(&self->is_over); turn++) {
    const struct timespec pause = {.tv_nsec = 1000 * (turn % 17)};
    atomic_store((atomic_int *)&self->cancel, turn % 48 == 47);
    nanosleep(&pause, NULL);
  }
  return NULL;
}

static void is_done_or_cancelled(int32_t status, const void *got, const void *want, size_t bytes, const char *what) {
  expect(status == SOTTO_OK || status == SOTTO_CANCELLED, "%s: %s", what, text);
  if (status == SOTTO_OK) expect(memcmp(got, want, bytes) == 0, "%s that was done has other bits", what);
}

static void test_meanwhile(const uint64_t sessions[SESSIONS], const results *want) {
  enum { ROUNDS = 6 };
  static wish shared;
  static results got;
  pthread_t thread;
  atomic_store(&shared.is_over, 0);
  expect(pthread_create(&thread, NULL, waver, &shared) == 0, "a thread");
  for (int round = 0; round < ROUNDS; round++) {
    is_done_or_cancelled(joint_step(sessions, &got, &shared.cancel), got.logits, want->logits, sizeof got.logits, "a step");
    is_done_or_cancelled(align(sessions[1], &got, &shared.cancel), got.scores, want->scores, sizeof got.scores, "an alignment");
    const int32_t status = set_features(sessions[0], &shared.cancel);
    expect(status == SOTTO_OK || status == SOTTO_CANCELLED, "features: %s", text);
    if (status == SOTTO_CANCELLED) OK(set_features(sessions[0], NULL));
    for (int i = 0; i < SESSIONS; i++) OK(first_token(sessions[i], shapes[i][0]));
  }
  atomic_store(&shared.is_over, 1);
  pthread_join(thread, NULL);
  OK(joint_step(sessions, &got, NULL));
  expect(memcmp(got.logits, want->logits, sizeof got.logits) == 0, "other logits after many calls that were cancelled");
}

void test_all_cancelled(const model *m) {
  int count;
  const kernel_variant *variants = kernel_variants(&count);
  for (int i = 0; i < T * C; i++) features[i] = uniform();
  for (int i = 0; i < (SEQUENCES + 1) * TOKENS; i++) tokens[i] = i * 17 % V;
  for (int i = 0; i < count; i++)
    for (int threads = 1; threads <= 3 && kernel_variant_runs(&variants[i]); threads += 2) {
      const uint64_t context = open_context(threads, variants[i].name);
      const uint64_t decoder = open_decoder_in(context, m, i % 2 == 0 ? SOTTO_WEIGHTS_AS_STORED : SOTTO_WEIGHTS_I8);
      uint64_t sessions[SESSIONS];
      static results want;
      open_sessions(decoder, sessions);
      OK(align(sessions[1], &want, NULL));
      OK(first_token(sessions[1], 1));
      OK(joint_step(sessions, &want, NULL));
      test_before(sessions, &want);
      test_meanwhile(sessions, &want);
      for (int j = 0; j < SESSIONS; j++) OK(sotto_cpu_destroy(sessions[j]));
      OK(sotto_cpu_destroy(decoder));
      OK(sotto_cpu_destroy(context));
    }
}

/* Sessions that step together: the same bits as each alone, whatever else is in the step. Part of decoder_test.c. */
#include <pthread.h>

#include "decoder_model.h"

enum { WINDOWS = 5, ROUNDS = 5 };
/* Tokens that a window's sequences get in each round; 0: it sits out. Together they straddle passes of 64 rows and tiles. */
static const int32_t turns[ROUNDS][WINDOWS] = {{61, 4, 0, 4, 0}, {1, 1, 35, 9, 3}, {1, 1, 1, 1, 1}, {0, 2, 1, 1, 1}, {1, 0, 0, 1, 0}};
static const int32_t widths[WINDOWS] = {1, 3, 1, 2, 1};

/* What is asked of a window in a round. Answers how many tokens it gets in all. */
static int32_t ask(int round, int window, int32_t position, int32_t shape[SOTTO_ADVANCE_WORDS], int32_t *tokens, int32_t rows[2]) {
  const int32_t count = turns[round][window], all = count * widths[window];
  for (int32_t i = 0; i < all; i++) tokens[i] = (i * 13 + round * 7 + window * 3) % V;
  rows[0] = 0;
  rows[1] = count - 1;
  const int32_t words[SOTTO_ADVANCE_WORDS] = {widths[window], count, position, 2};
  memcpy(shape, words, sizeof words);
  return all;
}

static float features[T * C];

static void test_together(const model *m, const char *variant, int threads, int32_t weight_format) {
  const uint64_t context = open_context(threads, variant), decoder = open_decoder_in(context, m, weight_format);
  uint64_t alone[WINDOWS], shared[WINDOWS];
  for (int w = 0; w < WINDOWS; w++) {
    for (int i = 0; i < T * C; i++) features[i] = uniform();
    OK(sotto_cpu_session_create(decoder, widths[w], &alone[w], TEXT));
    OK(sotto_cpu_session_create(decoder, widths[w], &shared[w], TEXT));
    OK(sotto_cpu_session_set_features(alone[w], features, T * C, NO_CANCEL, TEXT));
    OK(sotto_cpu_session_set_features(shared[w], features, T * C, NO_CANCEL, TEXT));
  }
  int32_t positions[WINDOWS] = {0};
  for (int round = 0; round < ROUNDS; round++) {
    static float want[WINDOWS * 3 * 2 * V], got[WINDOWS * 3 * 2 * V];
    uint64_t sessions[WINDOWS];
    int32_t shapes[WINDOWS][SOTTO_ADVANCE_WORDS], tokens[WINDOWS * CONTEXT * 3], rows[WINDOWS * 2];
    size_t count = 0, token_count = 0, logit_count = 0;
    for (int w = WINDOWS - 1; w >= 0; w--) {
      if (turns[round][w] == 0) continue;
      int32_t *const own = tokens + token_count, *const own_rows = rows + 2 * count;
      const int32_t given = ask(round, w, positions[w], shapes[count], own, own_rows);
      const size_t logits = (size_t)widths[w] * 2 * V;
      OK(step_alone(alone[w], own, (size_t)given, widths[w], positions[w], own_rows, 2, want + logit_count, logits));
      positions[w] += turns[round][w];
      sessions[count++] = shared[w];
      token_count += (size_t)given;
      logit_count += logits;
    }
    OK(sotto_cpu_sessions_step(sessions, count, shapes[0], count * SOTTO_ADVANCE_WORDS, tokens, token_count, rows, 2 * count,
                               got, logit_count, NO_CANCEL, TEXT));
    expect(memcmp(want, got, logit_count * sizeof *got) == 0, "%s, format %d, %d threads: round %d differs from each alone",
           variant, weight_format, threads, round);
  }
  for (int w = 0; w < WINDOWS; w++) {
    OK(sotto_cpu_destroy(alone[w]));
    OK(sotto_cpu_destroy(shared[w]));
  }
  OK(sotto_cpu_destroy(decoder));
  OK(sotto_cpu_destroy(context));
}

void test_all_together(const model *m) {
  int count;
  const kernel_variant *variants = kernel_variants(&count);
  for (int i = 0; i < count; i++)
    for (int threads = 1; threads <= 3 && kernel_variant_runs(&variants[i]); threads++)
      for (int32_t format = SOTTO_WEIGHTS_AS_STORED; format <= SOTTO_WEIGHTS_I8; format++)
        test_together(m, variants[i].name, threads, format);
}

/* ---- Several callers, whose steps share sessions: each is served with the bits of a session alone, or refused as a whole. */

enum { SHARED = 4, CALLERS = 3, CALLS = 150 };

typedef struct {
  int index;
  const uint64_t *sessions; /* [SHARED], of which the last is closed meanwhile */
  const float *want;        /* [SHARED, V] */
  const char *problem;
} caller;

/* Steps with two or three of the sessions, in another order each time. */
static void *step_with_others(void *argument) {
  caller *self = argument;
  for (int i = 0; i < CALLS && self->problem == NULL; i++) {
    const size_t count = 2 + (size_t)(i % 2), first = (size_t)(i / 2 + self->index) % SHARED, by = (i + self->index) % 3 == 0 ? 1 : 3;
    uint64_t sessions[3];
    int32_t shapes[3][SOTTO_ADVANCE_WORDS], tokens[3], rows[3] = {0};
    float logits[3 * V] = {0};
    char own[256];
    for (size_t j = 0; j < count; j++) {
      const int32_t shape[SOTTO_ADVANCE_WORDS] = {1, 1, 0, 1};
      memcpy(shapes[j], shape, sizeof shape);
      tokens[j] = (int32_t)((first + j * by) % SHARED);
      sessions[j] = self->sessions[tokens[j]];
    }
    const int32_t status = sotto_cpu_sessions_step(sessions, count, shapes[0], count * SOTTO_ADVANCE_WORDS, tokens, count, rows,
                                                   count, logits, count * V, NO_CANCEL, own, sizeof own);
    if (status != SOTTO_OK && status != SOTTO_BUSY && status != SOTTO_INVALID_HANDLE) self->problem = "an unexpected status";
    for (size_t j = 0; status == SOTTO_OK && j < count; j++)
      if (memcmp(logits + j * V, self->want + tokens[j] * V, V * sizeof *logits) != 0) self->problem = "other logits";
    for (size_t j = 0; status != SOTTO_OK && j < count * V; j++)
      if (logits[j] != 0) self->problem = "a refused step wrote logits";
  }
  return NULL;
}

void test_together_callers(const model *m, int32_t weight_format) {
  const uint64_t context = open_context(2, ""), decoder = open_decoder_in(context, m, weight_format);
  static float want[SHARED * V];
  uint64_t sessions[SHARED];
  for (int32_t i = 0; i < SHARED; i++) {
    const int32_t row = 0;
    for (int j = 0; j < T * C; j++) features[j] = uniform();
    OK(sotto_cpu_session_create(decoder, 1, &sessions[i], TEXT));
    OK(sotto_cpu_session_set_features(sessions[i], features, T * C, NO_CANCEL, TEXT));
    OK(step_alone(sessions[i], &i, 1, 1, 0, &row, 1, want + i * V, V));
  }
  pthread_t threads[CALLERS];
  caller callers[CALLERS];
  for (int i = 0; i < CALLERS; i++) {
    callers[i] = (caller){i, sessions, want, NULL};
    expect(pthread_create(&threads[i], NULL, step_with_others, &callers[i]) == 0, "a thread");
  }
  OK(sotto_cpu_destroy(sessions[SHARED - 1])); /* a step that holds it ends as it would have */
  for (int i = 0; i < CALLERS; i++) {
    pthread_join(threads[i], NULL);
    expect(callers[i].problem == NULL, "caller %d: %s", i, callers[i].problem);
  }
  for (int i = 0; i < SHARED - 1; i++) OK(sotto_cpu_destroy(sessions[i]));
  OK(sotto_cpu_destroy(decoder));
  OK(sotto_cpu_destroy(context));
}

void test_together_arguments(uint64_t context, const model *m) {
  const uint64_t decoder = open_decoder(context, m), other = open_decoder(context, m);
  uint64_t sessions[3] = {0};
  for (int i = 0; i < 3; i++) {
    OK(sotto_cpu_session_create(i == 2 ? other : decoder, 1, &sessions[i], TEXT));
    OK(sotto_cpu_session_set_features(sessions[i], features, T * C, NO_CANCEL, TEXT));
  }
  const int32_t shapes[3][SOTTO_ADVANCE_WORDS] = {{1, 1, 0, 1}, {1, 1, 0, 1}, {1, 1, 0, 1}}, tokens[3] = {0}, rows[3] = {0};
  static float logits[3 * V];
#define TOGETHER(count, words) \
  sotto_cpu_sessions_step(sessions, count, shapes[0], words, tokens, count, rows, count, logits, (count)*V, NO_CANCEL, TEXT)
  REFUSED(SOTTO_INVALID_ARGUMENT, "1 to 64 sessions: got 0", TOGETHER(0, 0));
  REFUSED(SOTTO_INVALID_ARGUMENT, "got 65", TOGETHER(SOTTO_ADVANCE_SESSIONS + 1, 4));
  REFUSED(SOTTO_INVALID_ARGUMENT, "8 words: got 4", TOGETHER(2, 4));
  REFUSED(SOTTO_INVALID_ARGUMENT, "one decoder: session 2", TOGETHER(3, 12));
  /* Those that were held when the third was refused have not advanced, and are free again. */
  REFUSED(SOTTO_INVALID_ARGUMENT, "sequence 0 holds 0", step_alone(sessions[0], tokens, 1, 1, 1, rows, 1, logits, V));
  OK(TOGETHER(2, 8));
  const int32_t ahead[2][SOTTO_ADVANCE_WORDS] = {{1, 1, 1, 1}, {1, 1, 2, 1}}; /* the second lacks a token */
  REFUSED(SOTTO_INVALID_ARGUMENT, "holds 1 tokens: got position 2",
          sotto_cpu_sessions_step(sessions, 2, ahead[0], 8, tokens, 2, rows, 2, logits, 2 * V, NO_CANCEL, TEXT));
  REFUSED(SOTTO_INVALID_ARGUMENT, "holds 1 tokens", step_alone(sessions[0], tokens, 1, 1, 2, rows, 1, logits, V));
  const uint64_t first = sessions[0];
  sessions[1] = first;
  REFUSED(SOTTO_BUSY, "another call", TOGETHER(2, 8));
  sessions[1] = decoder;
  REFUSED(SOTTO_INVALID_HANDLE, "not open", TOGETHER(2, 8));
  OK(step_alone(first, tokens, 1, 1, 0, rows, 1, logits, V));
#undef TOGETHER
  OK(sotto_cpu_destroy(first));
  OK(sotto_cpu_destroy(sessions[2]));
  OK(sotto_cpu_destroy(decoder));
  OK(sotto_cpu_destroy(other));
}

/* The decoder and the log-mel through the library's interface, for sanitizers: every check of their arguments, and a
 * walk through a small decoder on every variant and several numbers of threads, whose logits must agree with the
 * reference's: deno test -A tests/native/decoder_program_test.ts */
#include <pthread.h>

#include "decoder_model.h"

int failures;

/* ---- A walk: prompt, reordering, single tokens, going back. */

enum { PROMPT = CONTEXT - 2, WALK_ROWS = PROMPT + SEQUENCES + 2 * SEQUENCES, HEADS = 3 };
static const int32_t heads[2 * HEADS] = {1, 1, 0, 0, 1, 0};
static float features[T * C];

static void walk(uint64_t session, float logits[WALK_ROWS * V]) {
  int32_t tokens[CONTEXT * SEQUENCES], rows[CONTEXT], sources[SEQUENCES];
  for (int i = 0; i < CONTEXT * SEQUENCES; i++) tokens[i] = i * 7 % V;
  for (int i = 0; i < CONTEXT; i++) rows[i] = i;
  for (int i = 0; i < SEQUENCES; i++) sources[i] = i == 4 ? 4 : 0;
  OK(sotto_cpu_session_set_features(session, features, T * C, NO_CANCEL, TEXT));
  OK(step_alone(session, tokens, PROMPT, 1, 0, rows, PROMPT, logits, PROMPT * V));
  logits += PROMPT * V;
  sources[4] = 0;
  OK(sotto_cpu_session_reorder(session, sources, SEQUENCES, TEXT));
  OK(step_alone(session, tokens, SEQUENCES, SEQUENCES, PROMPT, rows, 1, logits, SEQUENCES * V));
  logits += SEQUENCES * V;
  for (int i = 0; i < SEQUENCES; i++) sources[i] = (i * 5 + 3) % SEQUENCES / 2;
  OK(sotto_cpu_session_reorder(session, sources, SEQUENCES, TEXT));
  OK(step_alone(session, tokens, 2 * SEQUENCES, SEQUENCES, 3, rows, 2, logits, 2 * SEQUENCES * V));
  OK(step_alone(session, tokens, CONTEXT, 1, 0, rows, 0, NULL, 0));
}

/* A whole context, in two passes: scores, then probabilities. */
enum { ALIGNED = HEADS * CONTEXT * T + CONTEXT, START = 3 };

static void align(uint64_t session, float aligned[ALIGNED]) {
  int32_t tokens[CONTEXT];
  for (int i = 0; i < CONTEXT; i++) tokens[i] = i * 11 % V;
  float *const probabilities = aligned + HEADS * CONTEXT * T;
  /* Numbers of positions that end a block, begin one, and are mirrored or too few to be. */
  const int32_t held[] = {T, 66, 65, 64, 4, 3, 1};
  for (size_t i = 0; i < sizeof held / sizeof *held; i++) {
    int32_t entries[CONTEXT - START];
    OK(sotto_cpu_session_align(session, tokens, CONTEXT, heads, 2 * HEADS, V - 5, START, held[i], aligned,
                               HEADS * CONTEXT * T, probabilities, CONTEXT, entries, CONTEXT - START, NO_CANCEL, TEXT));
    expect(entries[0] == 0, "%d positions: the path begins at %d", held[i], entries[0]);
    for (int r = 1; r < CONTEXT - START; r++)
      expect(entries[r] >= entries[r - 1] && entries[r] < held[i], "%d positions: row %d is entered at %d after %d",
             held[i], r, entries[r], entries[r - 1]);
  }
  for (int i = 0; i < CONTEXT; i++) {
    const int is_known = i > 0 && tokens[i] < V - 5;
    expect(is_known ? probabilities[i] > 0 && probabilities[i] <= 1 : probabilities[i] == 0,
           "the probability of token %d is %g", i, probabilities[i]);
  }
}

/* Every variant on several numbers of threads against the reference on one, whose logits and scores `want` receives.
 * In INT8 a value that lies between two codes may become either: a step of 16 bits apart. */
static void test_walks(const model *m, int32_t weight_format, float tolerance, float want[WALK_ROWS * V + ALIGNED]) {
  static float got[WALK_ROWS * V + ALIGNED];
  int count;
  const kernel_variant *variants = kernel_variants(&count);
  for (int i = 0; i < count; i++) {
    if (!kernel_variant_runs(&variants[i])) continue;
    for (int threads = 1; threads <= 3; threads++) {
      const uint64_t context = open_context(threads, variants[i].name);
      const uint64_t decoder = open_decoder_in(context, m, weight_format);
      uint64_t session = 0;
      OK(sotto_cpu_session_create(decoder, SEQUENCES, &session, TEXT));
      OK(sotto_cpu_destroy(context)); /* the decoder keeps it, and the session the decoder */
      OK(sotto_cpu_destroy(decoder));
      walk(session, got);
      align(session, got + WALK_ROWS * V);
      OK(sotto_cpu_destroy(session));
      if (i == 0 && threads == 1) memcpy(want, got, sizeof got);
      float worst = 0;
      for (int j = 0; j < WALK_ROWS * V + ALIGNED; j++) worst = fmaxf(worst, fabsf(got[j] - want[j]));
      expect(worst <= tolerance, "%s, format %d, %d threads: logits or scores %g away from the reference's",
             variants[i].name, weight_format, threads, worst);
      printf("%s, format %d, %d threads: %g away\n", variants[i].name, weight_format, threads, worst);
    }
  }
}

/* Both formats, and INT8 against F16: relative, of all logits. */
static void test_formats(const model *m) {
  static float stored[WALK_ROWS * V + ALIGNED], packed[WALK_ROWS * V + ALIGNED];
  for (int i = 0; i < T * C; i++) features[i] = uniform();
  test_walks(m, SOTTO_WEIGHTS_AS_STORED, 1e-4f, stored);
  test_walks(m, SOTTO_WEIGHTS_I8, 1e-3f, packed);
  double error = 0, size = 0;
  for (int j = 0; j < WALK_ROWS * V; j++) {
    error += ((double)packed[j] - stored[j]) * ((double)packed[j] - stored[j]);
    size += (double)stored[j] * stored[j];
  }
  const double relative = sqrt(error / size);
  expect(relative > 1e-5 && relative <= 0.03, "INT8 is %g away from F16", relative);
  printf("INT8 is %g away from F16\n", relative);
}

/* ---- What is refused. */

static void test_decoder_arguments(uint64_t context, const model *m) {
  enum { WORDS = TENSORS * SOTTO_WEIGHT_WORDS };
  uint64_t decoder = 1, words[WORDS];
  REFUSED(SOTTO_INVALID_ARGUMENT, "missing", sotto_cpu_decoder_create(context, dims, 6, NULL, 0, 0, &decoder, TEXT));
  REFUSED(SOTTO_INVALID_ARGUMENT, "got 5", sotto_cpu_decoder_create(context, dims, 5, m->words, WORDS, 0, &decoder, TEXT));
  expect(decoder == 0, "a refused decoder has no handle");
  REFUSED(SOTTO_INVALID_ARGUMENT, "got 51", sotto_cpu_decoder_create(context, dims, 6, m->words, WORDS - 4, 0, &decoder, TEXT));
  REFUSED(SOTTO_INVALID_HANDLE, "not open", sotto_cpu_decoder_create(m->file, dims, 6, m->words, WORDS, 0, &decoder, TEXT));
  for (int i = 0; i < 6; i++) {
    int32_t wrong[6];
    memcpy(wrong, dims, sizeof wrong);
    wrong[i] = 0;
    REFUSED(SOTTO_INVALID_ARGUMENT, "got 0", sotto_cpu_decoder_create(context, wrong, 6, m->words, WORDS, 0, &decoder, TEXT));
    wrong[i] = INT32_MAX;
    REFUSED(SOTTO_INVALID_ARGUMENT, "got 2147483647",
            sotto_cpu_decoder_create(context, wrong, 6, m->words, WORDS, 0, &decoder, TEXT));
  }
  for (int32_t format = -1; format <= 2; format += 3)
    REFUSED(SOTTO_INVALID_ARGUMENT, format < 0 ? "got -1" : "got 2",
            sotto_cpu_decoder_create(context, dims, 6, m->words, WORDS, format, &decoder, TEXT));
  const int32_t uneven[6] = {T, V, CONTEXT, C, 4, LAYERS};
  REFUSED(SOTTO_INVALID_ARGUMENT, "got 18 and 4", sotto_cpu_decoder_create(context, uneven, 6, m->words, WORDS, 0, &decoder, TEXT));
  for (int i = 0; i < TENSORS; i++) {
    memcpy(words, m->words, sizeof words);
    words[i * SOTTO_WEIGHT_WORDS + 3]++;
    REFUSED(SOTTO_INVALID_ARGUMENT, "elements", sotto_cpu_decoder_create(context, dims, 6, words, WORDS, 0, &decoder, TEXT));
  }
  memcpy(words, m->words, sizeof words);
  words[0] = 12345;
  REFUSED(SOTTO_INVALID_HANDLE, "file", sotto_cpu_decoder_create(context, dims, 6, words, WORDS, 0, &decoder, TEXT));

  const uint16_t infinite[V * C] = {[V * C - 1] = 0x7c00};
  memcpy(words, m->words, sizeof words);
  OK(sotto_cpu_file_copy((const uint8_t *)infinite, sizeof infinite, &words[0], TEXT));
  words[1] = 0;
  for (int32_t format = SOTTO_WEIGHTS_AS_STORED; format <= SOTTO_WEIGHTS_I8; format++)
    REFUSED(SOTTO_NON_FINITE, "1 NaN or infinite in weight 0",
            sotto_cpu_decoder_create(context, dims, 6, words, WORDS, format, &decoder, TEXT));
  OK(sotto_cpu_destroy(words[0]));
}

static void test_session_arguments(uint64_t context, const model *m) {
  const uint64_t decoder = open_decoder(context, m);
  uint64_t session = 1;
  static float logits[CONTEXT * V];
  int32_t tokens[CONTEXT] = {0}, rows[2] = {0, 1};
  REFUSED(SOTTO_INVALID_ARGUMENT, "got 0", sotto_cpu_session_create(decoder, 0, &session, TEXT));
  REFUSED(SOTTO_INVALID_ARGUMENT, "got 33", sotto_cpu_session_create(decoder, 33, &session, TEXT));
  REFUSED(SOTTO_INVALID_HANDLE, "not open", sotto_cpu_session_create(context, 1, &session, TEXT));
  REFUSED(SOTTO_INVALID_HANDLE, "not open", sotto_cpu_session_set_features(decoder, features, T * C, NO_CANCEL, TEXT));
  OK(sotto_cpu_session_create(decoder, 2, &session, TEXT));

#define STEP(token_count, sequences, position, row_count, logit_count) \
  step_alone(session, tokens, token_count, sequences, position, rows, row_count, logits, logit_count)
  REFUSED(SOTTO_INVALID_ARGUMENT, "no features", STEP(1, 1, 0, 1, V));
  REFUSED(SOTTO_INVALID_ARGUMENT, "got 5", sotto_cpu_session_set_features(session, features, 5, NO_CANCEL, TEXT));
  REFUSED(SOTTO_INVALID_ARGUMENT, "got 0", sotto_cpu_session_set_features(session, NULL, T * C, NO_CANCEL, TEXT));
  OK(sotto_cpu_session_set_features(session, features, T * C, NO_CANCEL, TEXT));
  REFUSED(SOTTO_INVALID_ARGUMENT, "got 0", STEP(1, 0, 0, 1, V));
  REFUSED(SOTTO_INVALID_ARGUMENT, "got 3", STEP(3, 3, 0, 1, 3 * V));
  REFUSED(SOTTO_INVALID_ARGUMENT, "got 1, 0 and 0 too many", STEP(3, 2, 0, 1, 2 * V));
  REFUSED(SOTTO_INVALID_ARGUMENT, "got 0 tokens at position 0", STEP(0, 1, 0, 0, 0));
  REFUSED(SOTTO_INVALID_ARGUMENT, "at position -1", STEP(1, 1, -1, 1, V));
  REFUSED(SOTTO_INVALID_ARGUMENT, "got 1 tokens at position 70", STEP(1, 1, CONTEXT, 1, V));
  REFUSED(SOTTO_INVALID_ARGUMENT, "position 2147483647", STEP(1, 1, INT32_MAX, 1, V));
  REFUSED(SOTTO_INVALID_ARGUMENT, "holds 0 tokens: got position 1", STEP(1, 1, 1, 1, V));
  REFUSED(SOTTO_INVALID_ARGUMENT, "got 1", STEP(1, 1, 0, 2, 2 * V));
  REFUSED(SOTTO_INVALID_ARGUMENT, "got 40 values", STEP(1, 1, 0, 1, V - 1));
  REFUSED(SOTTO_INVALID_ARGUMENT, "got 0, 0 and 41 too many", STEP(1, 1, 0, 1, 2 * V));
  REFUSED(SOTTO_INVALID_ARGUMENT, "1 tokens are needed: got 0", step_alone(session, NULL, 1, 1, 0, rows, 1, logits, V));
  REFUSED(SOTTO_INVALID_ARGUMENT, "1 rows are needed: got 0", step_alone(session, tokens, 1, 1, 0, NULL, 1, logits, V));
  REFUSED(SOTTO_INVALID_ARGUMENT, "got 0 values", step_alone(session, tokens, 1, 1, 0, rows, 1, NULL, V));
  for (int i = 0; i < 2; i++) {
    tokens[2] = i == 0 ? -1 : V;
    REFUSED(SOTTO_INVALID_ARGUMENT, i == 0 ? "got -1" : "got 41", STEP(3, 1, 0, 1, V));
  }
  tokens[2] = 0;
  OK(STEP(3, 1, 0, 2, 2 * V));
  OK(STEP(1, 1, 3, 1, V));
  REFUSED(SOTTO_INVALID_ARGUMENT, "sequence 1 holds 0", STEP(2, 2, 3, 1, 2 * V));

  int32_t sources[3] = {0, 2, 0};
  REFUSED(SOTTO_INVALID_ARGUMENT, "got 2", sotto_cpu_session_reorder(session, sources, 2, TEXT));
  sources[1] = -1;
  REFUSED(SOTTO_INVALID_ARGUMENT, "got -1", sotto_cpu_session_reorder(session, sources, 2, TEXT));
  REFUSED(SOTTO_INVALID_ARGUMENT, "got 3", sotto_cpu_session_reorder(session, sources, 3, TEXT));
  REFUSED(SOTTO_INVALID_ARGUMENT, "got 0", sotto_cpu_session_reorder(session, NULL, 2, TEXT));
  OK(sotto_cpu_destroy(session));
  REFUSED(SOTTO_INVALID_HANDLE, "not open", STEP(1, 1, 0, 1, V));
  OK(sotto_cpu_destroy(decoder));
#undef STEP
}

static void test_align_arguments(uint64_t context, const model *m) {
  const uint64_t decoder = open_decoder(context, m);
  uint64_t session = 0;
  OK(sotto_cpu_session_create(decoder, 1, &session, TEXT));
  static float scores[2 * CONTEXT * T], probabilities[CONTEXT];
  int32_t entries[CONTEXT];
  int32_t tokens[CONTEXT + 1] = {0}, pairs[2 * H * LAYERS + 2] = {0, 0, 1, 1};
#define ALIGN(token_count, pair_values, vocabulary, score_count, probability_count)                              \
  sotto_cpu_session_align(session, tokens, token_count, pairs, pair_values, vocabulary, 1, T, scores, score_count, \
                          probabilities, probability_count, entries, token_count - 1, NO_CANCEL, TEXT)
#define PATH(start, positions, entries, entry_count)                                                             \
  sotto_cpu_session_align(session, tokens, 2, pairs, 4, V, start, positions, NULL, 0, probabilities, 2, entries, \
                          entry_count, NO_CANCEL, TEXT)
  REFUSED(SOTTO_INVALID_ARGUMENT, "no features", ALIGN(2, 2, V, 2 * T, 2));
  OK(sotto_cpu_session_set_features(session, features, T * C, NO_CANCEL, TEXT));
  REFUSED(SOTTO_INVALID_ARGUMENT, "2 to 70 tokens: got 1", ALIGN(1, 2, V, T, 1));
  REFUSED(SOTTO_INVALID_ARGUMENT, "got 71", ALIGN(CONTEXT + 1, 2, V, (CONTEXT + 1) * T, CONTEXT + 1));
  for (int i = 0; i < 2; i++) {
    tokens[1] = i == 0 ? -1 : V;
    REFUSED(SOTTO_INVALID_ARGUMENT, i == 0 ? "got -1" : "got 41", ALIGN(2, 2, V, 2 * T, 2));
  }
  tokens[1] = 0;
  REFUSED(SOTTO_INVALID_ARGUMENT, "pairs: got 0", ALIGN(2, 0, V, 0, 2));
  REFUSED(SOTTO_INVALID_ARGUMENT, "pairs: got 3", ALIGN(2, 3, V, 2 * T, 2));
  REFUSED(SOTTO_INVALID_ARGUMENT, "pairs: got 10", ALIGN(2, 2 * H * LAYERS + 2, V, 10 * T, 2));
  REFUSED(SOTTO_INVALID_ARGUMENT, "pairs: got 0",
          sotto_cpu_session_align(session, tokens, 2, NULL, 2, V, 1, T, scores, 2 * T, probabilities, 2, entries, 1, NO_CANCEL, TEXT));
  const int32_t foreign[4][2] = {{-1, 0}, {LAYERS, 0}, {0, -1}, {0, H}};
  for (int i = 0; i < 4; i++) {
    memcpy(pairs, foreign[i], sizeof foreign[i]);
    REFUSED(SOTTO_INVALID_ARGUMENT, "below [2, 2]: got [", ALIGN(2, 2, V, 2 * T, 2));
  }
  pairs[0] = pairs[1] = 1;
  REFUSED(SOTTO_INVALID_ARGUMENT, "got [1, 1] twice", ALIGN(2, 4, V, 4 * T, 2));
  pairs[1] = 0;
  REFUSED(SOTTO_INVALID_ARGUMENT, "got 0", ALIGN(2, 4, 0, 4 * T, 2));
  REFUSED(SOTTO_INVALID_ARGUMENT, "got 42", ALIGN(2, 4, V + 1, 4 * T, 2));
  REFUSED(SOTTO_INVALID_ARGUMENT, "have 268 values: got 267", ALIGN(2, 4, V, 4 * T - 1, 2));
  REFUSED(SOTTO_INVALID_ARGUMENT, "2 probabilities: got 3", ALIGN(2, 4, V, 4 * T, 3));
  REFUSED(SOTTO_INVALID_ARGUMENT, "got 0",
          sotto_cpu_session_align(session, tokens, 2, pairs, 4, V, 1, T, NULL, 4 * T, probabilities, 2, entries, 1, NO_CANCEL, TEXT));
  REFUSED(SOTTO_INVALID_ARGUMENT, "got 0",
          sotto_cpu_session_align(session, tokens, 2, pairs, 4, V, 1, T, scores, 4 * T, NULL, 2, entries, 1, NO_CANCEL, TEXT));
  REFUSED(SOTTO_INVALID_ARGUMENT, "start must be 1 to 1: got 0", PATH(0, T, entries, 2));
  REFUSED(SOTTO_INVALID_ARGUMENT, "start must be 1 to 1: got 2", PATH(2, T, entries, 0));
  REFUSED(SOTTO_INVALID_ARGUMENT, "got 0", PATH(1, 0, entries, 1));
  REFUSED(SOTTO_INVALID_ARGUMENT, "positions must be 1 to 67: got 68", PATH(1, T + 1, entries, 1));
  REFUSED(SOTTO_INVALID_ARGUMENT, "1 entries: got 2", PATH(1, T, entries, 2));
  REFUSED(SOTTO_INVALID_ARGUMENT, "got 0", PATH(1, T, NULL, 1));
  OK(PATH(1, T, entries, 1));
  OK(ALIGN(2, 4, V, 4 * T, 2));
  OK(sotto_cpu_destroy(session));
  REFUSED(SOTTO_INVALID_HANDLE, "not open", ALIGN(2, 4, V, 4 * T, 2));
  OK(sotto_cpu_destroy(decoder));
#undef ALIGN
#undef PATH
}

static void test_log_mel_arguments(uint64_t context) {
  static float samples[720], filters[2 * 201], out[6];
#define MEL(s, sn, f, fn, o, on, frames, bands) sotto_cpu_log_mel(context, s, sn, f, fn, o, on, frames, bands, TEXT)
  OK(MEL(samples, 720, filters, 402, out, 6, 3, 2));
  expect(out[5] == -10, "silence has a log-mel of -10: got %g", out[5]);
  REFUSED(SOTTO_INVALID_ARGUMENT, "got 719", MEL(samples, 719, filters, 402, out, 6, 3, 2));
  REFUSED(SOTTO_INVALID_ARGUMENT, "got 0", MEL(NULL, 720, filters, 402, out, 6, 3, 2));
  REFUSED(SOTTO_INVALID_ARGUMENT, "got 401", MEL(samples, 720, filters, 401, out, 6, 3, 2));
  REFUSED(SOTTO_INVALID_ARGUMENT, "got 5", MEL(samples, 720, filters, 402, out, 5, 3, 2));
  REFUSED(SOTTO_INVALID_ARGUMENT, "got 0", MEL(samples, 720, filters, 402, out, 6, 0, 2));
  REFUSED(SOTTO_INVALID_ARGUMENT, "got 202", MEL(samples, 720, filters, 402, out, 6, 3, 202));
  REFUSED(SOTTO_INVALID_ARGUMENT, "got 720", MEL(samples, 720, filters, 402, out, 6, INT32_MAX, 2));
  context = 99;
  REFUSED(SOTTO_INVALID_HANDLE, "not open", MEL(samples, 720, filters, 402, out, 6, 3, 2));
#undef MEL
}

/* ---- Two callers of one session: each call is served, or answered with SOTTO_BUSY. */

static void *step_often(void *argument) {
  const uint64_t session = *(const uint64_t *)argument;
  static __thread float logits[V];
  const int32_t token = 1, row = 0;
  char own[256];
  for (int i = 0; i < 200; i++) {
    const int32_t shape[SOTTO_ADVANCE_WORDS] = {1, 1, 0, 1};
    const int32_t status = sotto_cpu_sessions_step(&session, 1, shape, SOTTO_ADVANCE_WORDS, &token, 1, &row, 1, logits, V,
                                                   NO_CANCEL, own, sizeof own);
    if (status != SOTTO_OK && status != SOTTO_BUSY) return "a status that is neither";
  }
  return NULL;
}

static void test_busy(uint64_t context, const model *m) {
  const uint64_t decoder = open_decoder(context, m);
  uint64_t session = 0;
  OK(sotto_cpu_session_create(decoder, 1, &session, TEXT));
  OK(sotto_cpu_session_set_features(session, features, T * C, NO_CANCEL, TEXT));
  pthread_t threads[3];
  for (int i = 0; i < 3; i++) expect(pthread_create(&threads[i], NULL, step_often, &session) == 0, "a thread");
  for (int i = 0; i < 3; i++) {
    void *problem = NULL;
    pthread_join(threads[i], &problem);
    expect(problem == NULL, "%s", (const char *)problem);
  }
  OK(sotto_cpu_destroy(session));
  OK(sotto_cpu_destroy(decoder));
}

void test_all_together(const model *m);
void test_together_callers(const model *m, int32_t weight_format);
void test_together_arguments(uint64_t context, const model *m);
void test_all_cancelled(const model *m);

int main(void) {
  int count;
  const kernel_variant *variants = kernel_variants(&count);
  const kernel_table reference = kernel_variant_table(&variants[0]);
  const model m = make_model(&reference);
  test_formats(&m);
  test_all_together(&m);
  test_all_cancelled(&m);
  const uint64_t context = open_context(2, "");
  test_decoder_arguments(context, &m);
  test_session_arguments(context, &m);
  test_together_arguments(context, &m);
  test_align_arguments(context, &m);
  test_log_mel_arguments(context);
  test_busy(context, &m);
  test_together_callers(&m, SOTTO_WEIGHTS_AS_STORED);
  test_together_callers(&m, SOTTO_WEIGHTS_I8);
  OK(sotto_cpu_destroy(context));
  OK(sotto_cpu_destroy(m.file));
  printf("%d failures\n", failures);
  return failures > 0;
}

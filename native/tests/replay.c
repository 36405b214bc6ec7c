/* One window through the library on a machine that Deno does not run on, such as an emulated one: replay VARIANT JOB MODEL OUT
 *
 * JOB holds what Deno would hand over: counts [8] of 64 bits, then the arrays they count (see `job`). Runs the encoder's
 * plan, then picks the likeliest token until the last wanted one. OUT gets the features and the tokens.
 * Written by tests/native/arm64_test.ts. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../include/sotto_cpu.h"

enum { BUFFERS, WEIGHTS, STEPS, ARENA, INPUT, FEATURES, DECODER_WEIGHTS, PROMPT, COUNTS };

/* dims [6] as sotto_cpu_decoder_create has them; then the last token, buffers of input and output, most tokens. */
enum { DIM_VOCABULARY = 1, END = 6, INPUT_BUFFER, OUTPUT_BUFFER, MOST_TOKENS, NUMBERS };

static char text[512];
#define TEXT text, sizeof text
#define NO_CANCEL NULL, 0

static void check(int32_t status, const char *what) {
  if (status == SOTTO_OK) return;
  fprintf(stderr, "%s: %s\n", what, text);
  exit(1);
}
#define OK(call) check(call, #call)

static void *read_array(FILE *file, size_t count, size_t size) {
  void *array = malloc(count * size + 1);
  if (array == NULL || fread(array, size, count, file) != count) exit(2);
  return array;
}

static int32_t likeliest(const float *logits, int32_t count) {
  int32_t best = 0;
  for (int32_t i = 1; i < count; i++)
    if (logits[i] > logits[best]) best = i;
  return best;
}

int main(int count, char **arguments) {
  if (count != 5) return 2;
  const char *variant = arguments[1], *model = arguments[3];
  FILE *job = fopen(arguments[2], "rb"), *out = fopen(arguments[4], "wb");
  if (job == NULL || out == NULL) return 2;
  const int64_t *counts = read_array(job, COUNTS, sizeof *counts);
  const int64_t *buffers = read_array(job, (size_t)counts[BUFFERS], 8);
  uint64_t *weights = read_array(job, (size_t)counts[WEIGHTS], 8);
  const int64_t *steps = read_array(job, (size_t)counts[STEPS], 8);
  uint64_t *decoder_weights = read_array(job, (size_t)counts[DECODER_WEIGHTS], 8);
  const float *input = read_array(job, (size_t)counts[INPUT], sizeof *input);
  const int32_t *prompt = read_array(job, (size_t)counts[PROMPT], sizeof *prompt);
  const int32_t *numbers = read_array(job, NUMBERS, sizeof *numbers);
  float *features = calloc((size_t)counts[FEATURES], sizeof *features);
  float *logits = calloc((size_t)numbers[DIM_VOCABULARY], sizeof *logits);
  if (features == NULL || logits == NULL) return 2;

  uint64_t context, file, plan, decoder, session;
  OK(sotto_cpu_context_create(2, variant, strlen(variant), &context, TEXT));
  OK(sotto_cpu_file_open(model, strlen(model), &file, TEXT));
  for (int64_t i = 0; i < counts[WEIGHTS]; i += SOTTO_WEIGHT_WORDS) weights[i] = file;
  for (int64_t i = 0; i < counts[DECODER_WEIGHTS]; i += SOTTO_WEIGHT_WORDS) decoder_weights[i] = file;

  OK(sotto_cpu_plan_create(context, buffers, (size_t)counts[BUFFERS], weights, (size_t)counts[WEIGHTS], steps,
                           (size_t)counts[STEPS], counts[ARENA], &plan, TEXT));
  int32_t control[2] = {0, 0};
  OK(sotto_cpu_plan_run(plan, numbers[INPUT_BUFFER], input, (size_t)counts[INPUT], numbers[OUTPUT_BUFFER], features,
                        (size_t)counts[FEATURES], control, 2, NULL, 0, TEXT));
  fwrite(features, sizeof *features, (size_t)counts[FEATURES], out);

  OK(sotto_cpu_decoder_create(context, numbers, 6, decoder_weights, (size_t)counts[DECODER_WEIGHTS],
                              SOTTO_WEIGHTS_AS_STORED, &decoder, TEXT));
  OK(sotto_cpu_session_create(decoder, 1, &session, TEXT));
  OK(sotto_cpu_session_set_features(session, features, (size_t)counts[FEATURES], NO_CANCEL, TEXT));
  const int32_t *tokens = prompt;
  int32_t position = 0, added = (int32_t)counts[PROMPT], token = -1;
  for (int32_t i = 0; i < numbers[MOST_TOKENS] && token != numbers[END]; i++) {
    const int32_t last = added - 1;
    const int32_t shape[SOTTO_ADVANCE_WORDS] = {1, added, position, 1};
    OK(sotto_cpu_sessions_step(&session, 1, shape, SOTTO_ADVANCE_WORDS, tokens, (size_t)added, &last, 1, logits,
                              (size_t)numbers[DIM_VOCABULARY], NO_CANCEL, TEXT));
    position += added;
    token = likeliest(logits, numbers[DIM_VOCABULARY]);
    fwrite(&token, sizeof token, 1, out);
    tokens = &token;
    added = 1;
  }
  const uint64_t objects[] = {session, decoder, plan, file, context};
  for (size_t i = 0; i < sizeof objects / sizeof *objects; i++) OK(sotto_cpu_destroy(objects[i]));
  return fclose(out) != 0;
}

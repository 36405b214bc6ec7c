/* A small decoder for the tests of sotto_cpu_decoder_* and sotto_cpu_session_*: matrices in F16, vectors in F32, one byte
 * off every alignment. */
#ifndef SOTTO_TESTS_DECODER_MODEL_H
#define SOTTO_TESTS_DECODER_MODEL_H

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../cpu/kernels.h"
#include "../include/sotto_cpu.h"

enum { T = 67, V = 41, CONTEXT = 70, C = 18, H = 2, LAYERS = 2, TENSORS = 4 + 24 * LAYERS, SEQUENCES = 9 };
static const int32_t dims[6] = {T, V, CONTEXT, C, H, LAYERS};

extern int failures; /* of decoder_test.c */
static char text[256]; /* of errors */

static inline void expect(int condition, const char *format, ...) {
  if (condition) return;
  failures++;
  va_list arguments;
  va_start(arguments, format);
  printf("FAIL ");
  vprintf(format, arguments);
  printf("\n");
  va_end(arguments);
}

#define OK(call) expect((call) == SOTTO_OK, "%s: %s", #call, text)
/* The status, and a text that ends with the value found. */
#define REFUSED(status, value, call)                                                                            \
  do {                                                                                                          \
    text[0] = '\0';                                                                                             \
    const int32_t got_ = (call);                                                                                \
    expect(got_ == (status) && strstr(text, value) != NULL, "%s: status %d, \"%s\"", #call, got_, text);        \
  } while (0)
#define TEXT text, sizeof text
#define NO_CANCEL NULL, 0

static inline float uniform(void) {
  static uint32_t state = 1; /* Numerical Recipes' linear congruence */
  state = state * 1664525u + 1013904223u;
  return (float)state / 2147483648.0f - 1;
}

static inline int64_t elements_of(int tensor) {
  if (tensor == 0) return (int64_t)V * C;
  if (tensor == 1) return (int64_t)CONTEXT * C;
  static const int64_t of_layer[24] = {C, C, C * C, C, C * C, C * C, C, C * C,     C, C,     C,         C * C,
                                       C, C * C, C * C, C, C * C, C, C, C, 4 * C * C, 4 * C, 4 * C * C, C};
  return tensor >= TENSORS - 2 ? C : of_layer[(tensor - 2) % 24];
}

static inline int is_matrix(int tensor) { return tensor == 0 || (tensor > 1 && elements_of(tensor) >= C * C); }

typedef struct {
  uint64_t file, words[TENSORS * SOTTO_WEIGHT_WORDS];
} model;

static inline model make_model(const kernel_table *kernels) {
  static uint8_t bytes[1 + 4 * 64 * 1024];
  model made;
  size_t offset = 1;
  for (int i = 0; i < TENSORS; i++) {
    const int64_t count = elements_of(i);
    float *values = malloc((size_t)count * sizeof *values);
    if (values == NULL) exit(2);
    for (int64_t j = 0; j < count; j++) values[j] = 0.4f * uniform();
    const uint64_t words[] = {0, offset, is_matrix(i) ? SOTTO_F16 : SOTTO_F32, (uint64_t)count};
    memcpy(made.words + i * SOTTO_WEIGHT_WORDS, words, sizeof words);
    const size_t length = (size_t)count * (is_matrix(i) ? 2 : 4);
    if (offset + length > sizeof bytes) exit(2);
    if (is_matrix(i))
      kernels->narrow_f16(values, count, bytes + offset);
    else
      memcpy(bytes + offset, values, length);
    offset += length;
    free(values);
  }
  OK(sotto_cpu_file_copy(bytes, offset, &made.file, TEXT));
  for (int i = 0; i < TENSORS; i++) made.words[i * SOTTO_WEIGHT_WORDS] = made.file;
  return made;
}

/* A step of one session. */
static inline int32_t step_alone(uint64_t session, const int32_t *tokens, size_t token_count, int32_t sequences, int32_t position,
                          const int32_t *rows, size_t row_count, float *logits, size_t logit_count) {
  const int32_t shape[SOTTO_ADVANCE_WORDS] = {sequences, sequences < 1 ? 0 : (int32_t)token_count / sequences, position,
                                              (int32_t)row_count};
  return sotto_cpu_sessions_step(&session, 1, shape, SOTTO_ADVANCE_WORDS, tokens, token_count, rows, row_count, logits,
                                 logit_count, NO_CANCEL, TEXT);
}

static inline uint64_t open_context(int threads, const char *variant) {
  uint64_t context = 0;
  OK(sotto_cpu_context_create(threads, variant, strlen(variant), &context, TEXT));
  return context;
}

static inline uint64_t open_decoder_in(uint64_t context, const model *m, int32_t weight_format) {
  uint64_t decoder = 0;
  OK(sotto_cpu_decoder_create(context, dims, 6, m->words, TENSORS * SOTTO_WEIGHT_WORDS, weight_format, &decoder, TEXT));
  return decoder;
}

static inline uint64_t open_decoder(uint64_t context, const model *m) { return open_decoder_in(context, m, SOTTO_WEIGHTS_AS_STORED); }

#endif

/* Reading a plan's words: what its steps need from the checkpoint and of memory, gathered before anything is allocated.
 *
 * Every function that can refuse answers a status, with the text written; TRY passes it on. */
#ifndef SOTTO_PLAN_READER_H
#define SOTTO_PLAN_READER_H

#include "plan.h"

/* Beyond any Whisper (the largest product of large-v3 is 1500 × 5120 × 1280), and small enough that products of two
 * such numbers cannot overflow. */
#define MAX_AXIS ((int64_t)1 << 30)

/* Panels, and a bias for each part; a convolution has panels, a bias and an addend. */
enum { MAX_LOADS_PER_STEP = 2 + MAX_GEMM_PARTS };

typedef struct {
  cpu_plan *plan;
  const uint64_t *weights; /* [weight_count, SOTTO_WEIGHT_WORDS] */
  int64_t weight_count;
  weight_load *loads;
  size_t load_count;
  size_t weight_bytes;  /* laid out so far */
  size_t scratch_bytes; /* of one thread */
  size_t head_floats;   /* of all heads */
  int64_t index;        /* of the step being read, for messages */
  const char *name;
  error_sink error;
} plan_reader;

/* "Cannot prepare step 3 (gemm) because `rule`: got `found`". */
int32_t refuse_step(const plan_reader *reader, const char *rule, int64_t found);

#define CHECK(condition, rule, found) \
  do {                                \
    if (!(condition)) return refuse_step(reader, rule, found); \
  } while (0)
#define TRY(call)                             \
  do {                                        \
    int32_t status_ = (call);                 \
    if (status_ != SOTTO_OK) return status_;  \
  } while (0)

static inline int is_axis(int64_t size) { return size >= 1 && size <= MAX_AXIS; }

/* A buffer that must be [rows, columns]. */
int32_t take_buffer(plan_reader *reader, int64_t index, int64_t rows, int64_t columns, float **out);

/* Room for a vector of weights; *target receives its address once there is memory. */
int32_t take_vector(plan_reader *reader, int64_t index, int64_t elements, const float **target);

/* One matrix of a product: its weight's index, its bias's or -1, its rows. */
typedef struct {
  int64_t weight, bias, n;
} gemm_part_words;

/* Room for panels and bias of a product whose parts lie side by side, in the arithmetic of `step->product.kernel`; `taps`
 * as in weight_load; `scales` 1 + the weight [k] by which columns are multiplied, or 0. */
int32_t take_matrix(plan_reader *reader, plan_step *step, const gemm_part_words *parts, int count, int64_t k,
                    int64_t taps, int64_t scales);

/* The kernel for an arithmetic: a value of enum sotto_arithmetic. */
int32_t take_gemm_kernel(const plan_reader *reader, int64_t arithmetic, gemm_kernel **out);
int32_t take_attention_kernel(const plan_reader *reader, int64_t arithmetic, attention_kernel **out);

/* Reads one step of SOTTO_STEP_WORDS words. */
int32_t read_step(plan_reader *reader, const int64_t *words, plan_step *step);

static inline void grow(size_t *size, size_t needed) {
  if (*size < needed) *size = needed;
}

#endif

/* A plan, checked and resolved: every pointer of a step leads into the plan's own memory, so a run checks nothing. */
#ifndef SOTTO_PLAN_H
#define SOTTO_PLAN_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "context.h"
#include "gemm.h"
#include "mapped_file.h"
#include "status.h"

enum { MAX_GEMM_PARTS = 3, COLUMN_SCALES = MAX_GEMM_PARTS };

typedef struct {
  float *data;
  int64_t rows, columns;
} plan_buffer;

typedef struct {
  enum sotto_op op;
  const float *input;
  float *output;
  int64_t rows, columns;         /* TRANSPOSE, LAYERNORM; ATTENTION: T and heads · width */
  const float *weight, *bias;    /* LAYERNORM */
  int64_t heads, head_width;     /* ATTENTION */
  size_t head_floats;            /* ATTENTION: packed keys and values of one head */
  attention_kernel *attention;   /* ATTENTION */
  gemm_weights weights;          /* GEMM, CONV1D: what `product.b` points at */
  gemm_product product;          /* GEMM, CONV1D */
  gemm_tiles packs;              /* what the output may be instead of rows, for its one reader */
  int is_packed;                 /* GEMM: its input may be tiles */
} plan_step;

typedef struct {
  handle_object object;
  cpu_context *context; /* held */
  plan_buffer *buffers;
  size_t buffer_count;
  plan_step *steps;
  size_t step_count;
  float *arena;
  char *weights;       /* packed weights, biases, norms */
  char *scratch;       /* scratch_stride bytes for each thread */
  size_t scratch_stride;
  float *packed_heads; /* keys and values of all heads, of the step that needs most */
  atomic_flag is_running;
} cpu_plan;

/* What a step wants from the checkpoint, found while the plan is read and done when all memory is there. */
typedef struct {
  enum { LOAD_VECTOR, LOAD_PANELS } kind;
  size_t offset;         /* into the plan's weights, in bytes, a multiple of 64 */
  void **target;         /* receives the address of that place; NULL if another load of the same place sets it */
  size_t bytes;          /* of the place */
  int parts;             /* matrices that lie side by side, or 1 */
  stored_weight stored[MAX_GEMM_PARTS + 1]; /* the last, COLUMN_SCALES: of a row's elements, where has_scales */
  int has_scales;
  int64_t index[MAX_GEMM_PARTS]; /* in the weight table, for messages */
  int64_t n[MAX_GEMM_PARTS];     /* LOAD_PANELS: rows of each part; LOAD_VECTOR: elements */
  int64_t first;                 /* LOAD_VECTOR: where in the place its elements begin */
  int64_t k;                     /* LOAD_PANELS: elements of a row */
  gemm_kernel *kernel;           /* LOAD_PANELS: packs them */
  int64_t taps;                  /* LOAD_PANELS: a row is stored [k / taps, taps] and packed [taps, k / taps] */
} weight_load;

/* Reads weights into a plan's memory on all threads. SOTTO_NON_FINITE names the weight. */
int32_t plan_load_weights(cpu_plan *plan, const weight_load *loads, size_t count, error_sink error);

/* Finds the outputs that one product alone reads: those their steps may write as that product's tiles, in the place of the
 * rows. Sets `packs` and `is_packed`; answers the scratch that one thread needs for it. */
size_t plan_find_packing(cpu_plan *plan);

/* Whether what a run leaves in `result` are rows, although steps write tiles where they may. */
int plan_gives_rows(const cpu_plan *plan, const float *result, int64_t floats);

/* One attention step on all threads; what results goes to `to` where that has a kernel. */
void attention_run(cpu_plan *plan, const plan_step *step, const gemm_tiles *to, const atomic_int *cancel);

#endif

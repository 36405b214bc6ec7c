#if defined(__linux__)
#define _GNU_SOURCE /* clock_gettime under -std=c11 */
#endif
#include <string.h>
#include <time.h>

#include "plan.h"

_Static_assert(sizeof(atomic_int) == sizeof(int32_t), "control is shared with the caller as plain 32-bit integers");

static double now_seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

typedef struct {
  const cpu_plan *plan;
  const kernel_table *kernels;
  const plan_step *step;
} row_job;

/* Sixteen rows of the output fill a cache line of the input's columns. */
enum { TRANSPOSE_GRAIN = 16 };

static void transpose_part(void *context, int part, int parts) {
  const row_job *job = context;
  const plan_step *step = job->step;
  const share columns = share_of(step->columns, TRANSPOSE_GRAIN, part, parts);
  job->kernels->transpose(step->input + columns.begin, step->columns, step->output + columns.begin * step->rows,
                          step->rows, step->rows, columns.end - columns.begin);
}

static void layernorm_part(void *context, int part, int parts) {
  const row_job *job = context;
  const plan_step *step = job->step;
  const share rows = share_of(step->rows, 1, part, parts);
  job->kernels->layernorm(step->input + rows.begin * step->columns, step->output + rows.begin * step->columns,
                          step->weight, step->bias, rows.end - rows.begin, step->columns);
}

/* Rows become a tile while they are in the first-level cache. */
static void layernorm_tiles_part(void *context, int part, int parts) {
  const row_job *job = context;
  const plan_step *step = job->step;
  const int64_t mr = step->packs.kernel->mr, k = step->columns;
  float *normed = (float *)(job->plan->scratch + (size_t)part * job->plan->scratch_stride);
  const share tiles = share_of((step->rows + mr - 1) / mr, 1, part, parts);
  for (int64_t tile = tiles.begin; tile < tiles.end; tile++) {
    const int64_t row = tile * mr, count = step->rows - row < mr ? step->rows - row : mr;
    job->kernels->layernorm(step->input + row * k, normed, step->weight, step->bias, count, k);
    const gemm_weights depth = {.k = k};
    const gemm_product rows = {
        .kernel = step->packs.kernel, .a = {normed, 0, k, count * k}, .m = count, .b = &depth};
    gemm_pack_tiles(&rows, (char *)step->packs.tiles + (size_t)tile * gemm_tile_bytes(rows.kernel, k), 0, 1);
  }
}

/* `packs`: whether outputs are written as tiles where they may be. */
static void run_step(cpu_plan *plan, const plan_step *step, int packs, const atomic_int *cancel) {
  thread_pool *pool = plan->context->pool;
  row_job rows = {plan, plan->context->kernels, step};
  const gemm_tiles to = packs ? step->packs : (gemm_tiles){0};
  gemm_product product = step->product;
  product.cancel = cancel;
  product.to = to;
  product.tiles = packs && step->is_packed ? product.a.data : NULL;
  switch (step->op) {
    case SOTTO_OP_TRANSPOSE: pool_run(pool, transpose_part, &rows); return;
    case SOTTO_OP_LAYERNORM: pool_run(pool, to.kernel == NULL ? layernorm_part : layernorm_tiles_part, &rows); return;
    case SOTTO_OP_CONV1D:
    case SOTTO_OP_GEMM: pool_run(pool, gemm_part, &product); return;
    case SOTTO_OP_ATTENTION: attention_run(plan, step, &to, cancel); return;
  }
}

static int is_cancelled(const atomic_int *cancel) {
  return cancel != NULL && atomic_load_explicit(cancel, memory_order_relaxed) != 0;
}

/* A buffer of the plan that holds `length` floats, or NULL. */
static float *find_buffer(const cpu_plan *plan, int32_t index, size_t length) {
  if (index < 0 || (size_t)index >= plan->buffer_count) return NULL;
  const plan_buffer *buffer = &plan->buffers[index];
  return (uint64_t)(buffer->rows * buffer->columns) == length ? buffer->data : NULL;
}

static int32_t run_plan(cpu_plan *plan, int packs, atomic_int *control, double *seconds, error_sink error) {
  const atomic_int *cancel = control == NULL ? NULL : control + 1;
  for (size_t i = 0; i < plan->step_count; i++) {
    double began = seconds == NULL ? 0 : now_seconds();
    if (!is_cancelled(cancel)) run_step(plan, &plan->steps[i], packs, cancel);
    /* Asked after the step: one that was cancelled ended early and left its output unfinished. */
    if (is_cancelled(cancel))
      return fail(error, SOTTO_CANCELLED, "Cancelled in step %zu of %zu", i + 1, plan->step_count);
    if (seconds != NULL) seconds[i] = now_seconds() - began;
    if (control != NULL) atomic_store_explicit(control, (int)(i + 1), memory_order_release);
  }
  return SOTTO_OK;
}

int32_t sotto_cpu_plan_run(uint64_t plan, int32_t input_buffer, const float *input, size_t input_length,
                           int32_t output_buffer, float *out, size_t out_length, int32_t *control,
                           size_t control_length, double *seconds, size_t seconds_length, char *text,
                           size_t text_capacity) {
  error_sink error = {text, text_capacity};
  if ((input == NULL && input_length > 0) || (out == NULL && out_length > 0) ||
      (control == NULL && control_length > 0) || (seconds == NULL && seconds_length > 0))
    return fail(error, SOTTO_INVALID_ARGUMENT, "Cannot run a plan because an array is missing");
  cpu_plan *held = (cpu_plan *)handle_acquire(plan, HANDLE_PLAN);
  if (held == NULL) return fail(error, SOTTO_INVALID_HANDLE, "Cannot run a plan because it is closed");

  int32_t status;
  float *in_arena = find_buffer(held, input_buffer, input_length);
  const float *result = find_buffer(held, output_buffer, out_length);
  if (in_arena == NULL)
    status = fail(error, SOTTO_INVALID_ARGUMENT, "Cannot run a plan because buffer %d does not take an input of %zu floats",
                  input_buffer, input_length);
  else if (result == NULL)
    status = fail(error, SOTTO_INVALID_ARGUMENT, "Cannot run a plan because buffer %d does not give an output of %zu floats",
                  output_buffer, out_length);
  else if (control_length != 0 && control_length < 2)
    status = fail(error, SOTTO_INVALID_ARGUMENT, "Cannot run a plan because control must have 2 elements: got %zu",
                  control_length);
  else if (seconds_length != 0 && seconds_length != held->step_count)
    status = fail(error, SOTTO_INVALID_ARGUMENT, "Cannot run a plan because seconds must have %zu elements: got %zu",
                  held->step_count, seconds_length);
  else if (atomic_flag_test_and_set_explicit(&held->is_running, memory_order_acquire))
    status = fail(error, SOTTO_BUSY, "Cannot run a plan because another call is running it");
  else {
    memcpy(in_arena, input, input_length * sizeof *input);
    status = run_plan(held, plan_gives_rows(held, result, (int64_t)out_length), control_length == 0 ? NULL : (atomic_int *)control, seconds_length == 0 ? NULL : seconds, error);
    if (status == SOTTO_OK) memcpy(out, result, out_length * sizeof *out);
    atomic_flag_clear_explicit(&held->is_running, memory_order_release);
  }
  object_release(&held->object);
  return status;
}

/* Makes a plan: its buffers, its steps, its memory, its weights, in this order. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "plan_reader.h"

/* The buffers lie in the arena, which is allocated here. Sizes are compared without a sum that could overflow. */
static int32_t read_buffers(cpu_plan *plan, const int64_t *words, int64_t arena, error_sink error) {
  for (size_t i = 0; i < plan->buffer_count; i++) {
    const int64_t offset = words[3 * i], rows = words[3 * i + 1], columns = words[3 * i + 2];
    if (!is_axis(rows) || !is_axis(columns))
      return fail(error, SOTTO_INVALID_ARGUMENT,
                  "Cannot prepare buffer %zu because both axes must be 1 to 2^30: got %" PRId64 " × %" PRId64, i, rows,
                  columns);
    if (offset < 0 || offset % 16 != 0 || offset > arena || rows * columns > arena - offset)
      return fail(error, SOTTO_INVALID_ARGUMENT,
                  "Cannot prepare buffer %zu because it must begin at a multiple of 16 and end inside the arena of "
                  "%" PRId64 " floats: got %" PRId64 " floats at %" PRId64,
                  i, arena, rows * columns, offset);
  }
  plan->arena = memory_allocate((size_t)arena * sizeof(float));
  if (plan->arena == NULL)
    return fail(error, SOTTO_OUT_OF_MEMORY, "Cannot prepare a plan because memory for %" PRId64 " floats was refused",
                arena);
  for (size_t i = 0; i < plan->buffer_count; i++)
    plan->buffers[i] = (plan_buffer){plan->arena + words[3 * i], words[3 * i + 1], words[3 * i + 2]};
  return SOTTO_OK;
}

/* Gives every step its memory. */
static int32_t place(plan_reader *reader) {
  cpu_plan *plan = reader->plan;
  const size_t threads = (size_t)pool_threads(plan->context->pool);
  grow(&reader->scratch_bytes, plan_find_packing(plan));
  plan->scratch_stride = round_up(reader->scratch_bytes, SOTTO_ALIGNMENT);
  plan->scratch = memory_allocate(plan->scratch_stride * threads);
  plan->packed_heads = memory_allocate(reader->head_floats * sizeof(float));
  plan->weights = memory_allocate(reader->weight_bytes);
  if (plan->scratch == NULL || plan->packed_heads == NULL || plan->weights == NULL)
    return fail(reader->error, SOTTO_OUT_OF_MEMORY, "Cannot prepare a plan because memory for %zu bytes was refused",
                reader->weight_bytes + plan->scratch_stride * threads + reader->head_floats * sizeof(float));
  for (size_t i = 0; i < reader->load_count; i++) {
    weight_load *load = &reader->loads[i];
    void *address = plan->weights + load->offset;
    if (load->target != NULL) memcpy(load->target, &address, sizeof address);
    /* What lies behind a bias's last element is read too. */
    if (load->kind == LOAD_VECTOR) memset(address, 0, load->bytes);
  }
  for (size_t i = 0; i < plan->step_count; i++) {
    plan_step *step = &plan->steps[i];
    step->product.b = &step->weights;
    step->product.out = step->output;
    step->product.out_stride = step->weights.n;
    step->product.scratch = plan->scratch;
    step->product.scratch_stride = plan->scratch_stride;
  }
  return SOTTO_OK;
}

static void free_plan(handle_object *object) {
  cpu_plan *plan = (cpu_plan *)object;
  memory_free(plan->arena);
  memory_free(plan->weights);
  memory_free(plan->scratch);
  memory_free(plan->packed_heads);
  free(plan->buffers);
  free(plan->steps);
  object_release(&plan->context->object);
  free(plan);
}

static int32_t read_plan(plan_reader *reader, const int64_t *buffers, const int64_t *steps, int64_t arena) {
  cpu_plan *plan = reader->plan;
  TRY(read_buffers(plan, buffers, arena, reader->error));
  for (size_t i = 0; i < plan->step_count; i++) {
    reader->index = (int64_t)i;
    TRY(read_step(reader, steps + i * SOTTO_STEP_WORDS, &plan->steps[i]));
  }
  TRY(place(reader));
  return plan_load_weights(plan, reader->loads, reader->load_count, reader->error);
}

int32_t sotto_cpu_plan_create(uint64_t context, const int64_t *buffers, size_t buffers_length, const uint64_t *weights,
                              size_t weights_length, const int64_t *steps, size_t steps_length, int64_t arena,
                              uint64_t *plan, char *text, size_t text_capacity) {
  error_sink error = {text, text_capacity};
  if ((buffers == NULL && buffers_length > 0) || (weights == NULL && weights_length > 0) ||
      (steps == NULL && steps_length > 0) || plan == NULL)
    return fail(error, SOTTO_INVALID_ARGUMENT, "Cannot prepare a plan because an array is missing");
  *plan = 0;
  if (buffers_length == 0 || buffers_length % 3 != 0 || weights_length % SOTTO_WEIGHT_WORDS != 0 ||
      steps_length == 0 || steps_length % SOTTO_STEP_WORDS != 0)
    return fail(error, SOTTO_INVALID_ARGUMENT,
                "Cannot prepare a plan because its tables must be whole rows of 3, %d and %d words: got %zu, %zu and "
                "%zu words",
                SOTTO_WEIGHT_WORDS, SOTTO_STEP_WORDS, buffers_length, weights_length, steps_length);
  if (arena < 1 || arena > MAX_AXIS * 64)
    return fail(error, SOTTO_INVALID_ARGUMENT, "Cannot prepare a plan because its arena must be 1 to 2^36 floats: got %" PRId64,
                arena);
  cpu_context *held = (cpu_context *)handle_acquire(context, HANDLE_CONTEXT);
  if (held == NULL) return fail(error, SOTTO_INVALID_HANDLE, "Cannot prepare a plan because its context is closed");

  cpu_plan *created = calloc(1, sizeof *created);
  if (created == NULL) {
    object_release(&held->object);
    return fail(error, SOTTO_OUT_OF_MEMORY, "Cannot prepare a plan because memory was refused");
  }
  created->object = (handle_object){.kind = HANDLE_PLAN, .free_object = free_plan};
  created->context = held;
  atomic_flag_clear(&created->is_running);
  created->buffer_count = buffers_length / 3;
  created->buffers = calloc(created->buffer_count, sizeof *created->buffers);
  created->step_count = steps_length / SOTTO_STEP_WORDS;
  created->steps = calloc(created->step_count, sizeof *created->steps);
  plan_reader reader = {.plan = created,
                        .weights = weights,
                        .weight_count = (int64_t)(weights_length / SOTTO_WEIGHT_WORDS),
                        .loads = calloc(created->step_count * MAX_LOADS_PER_STEP, sizeof(weight_load)),
                        .error = error};
  int32_t status;
  if (created->buffers == NULL || created->steps == NULL || reader.loads == NULL)
    status = fail(error, SOTTO_OUT_OF_MEMORY, "Cannot prepare a plan because memory was refused");
  else
    status = read_plan(&reader, buffers, steps, arena);
  for (size_t i = 0; i < reader.load_count; i++)
    for (int part = 0; part <= COLUMN_SCALES; part++) weight_release(&reader.loads[i].stored[part]);
  free(reader.loads);
  if (status == SOTTO_OK && (*plan = handle_enter(&created->object)) == 0)
    status = fail(error, SOTTO_OUT_OF_MEMORY, "Cannot prepare a plan because memory was refused");
  if (status != SOTTO_OK) free_plan(&created->object);
  return status;
}

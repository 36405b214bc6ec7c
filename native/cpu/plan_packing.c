/* Which outputs are written as tiles of the product behind: a layer norm's, GELU's behind the first product of an MLP,
 * attention's. Their rows in F32 would be written, and read and packed again by the one step that wants them. */
#include "memory.h"
#include "plan.h"

/* What tiles must take less than half of what rows take: INT8, but not BF16, whose tiles cost as much to write in small
 * pieces as rows, and save nothing behind (Whisper base: 0.16 ms of a first product's 3.4). */
enum { LEAST_SAVING = 3 };

typedef struct {
  const float *data;
  int64_t floats;
} region;

static int overlaps(region a, region b) {
  return (uintptr_t)a.data < (uintptr_t)(b.data + b.floats) && (uintptr_t)b.data < (uintptr_t)(a.data + a.floats);
}

static int is_product(const plan_step *step) { return step->op == SOTTO_OP_GEMM || step->op == SOTTO_OP_CONV1D; }

static region output_of(const plan_step *step) {
  return (region){step->output, is_product(step) ? step->product.m * step->weights.n : step->rows * step->columns};
}

/* What a step reads of the arena: its input, and an addend or nothing. */
static region input_of(const plan_step *step) {
  if (is_product(step)) return (region){step->product.a.data, step->product.a.length};
  return (region){step->input, step->rows * step->columns * (step->op == SOTTO_OP_ATTENTION ? 3 : 1)};
}

static region addend_of(const plan_step *step) {
  if (step->op != SOTTO_OP_GEMM || step->product.addend == NULL) return (region){NULL, 0};
  return (region){step->product.addend, step->product.m * step->weights.n};
}

/* The last step before `reader` that writes where it reads: buffers may share memory. step_count if it reads what the run
 * began with. */
static size_t writer_of(const cpu_plan *plan, size_t reader, region read) {
  for (size_t i = reader; i-- > 0;)
    if (overlaps(output_of(&plan->steps[i]), read)) return i;
  return plan->step_count;
}

/* The step that alone reads what `writer` writes, as its input; or NULL. */
static plan_step *only_reader(cpu_plan *plan, size_t writer) {
  plan_step *found = NULL;
  for (size_t i = 0; i < plan->step_count; i++) {
    plan_step *step = &plan->steps[i];
    const region addend = addend_of(step);
    if (addend.data != NULL && writer_of(plan, i, addend) == writer) return NULL;
    if (writer_of(plan, i, input_of(step)) != writer) continue;
    if (found != NULL) return NULL;
    found = step;
  }
  return found;
}

/* Whether a step can write tiles for a product of this kernel: its rows come in as many, its columns in whole granules. */
static int can_write(const plan_step *step, const gemm_kernel *kernel) {
  switch (step->op) {
    case SOTTO_OP_LAYERNORM: return 1;
    case SOTTO_OP_GEMM:
      return step->product.kernel->mr == kernel->mr && kernel->kc % gemm_unit_columns(step->product.kernel, kernel) == 0;
    case SOTTO_OP_ATTENTION:
      return step->attention->query_tile == kernel->mr && step->head_width % kernel->k_step == 0 &&
             kernel->kc % step->head_width == 0;
    default: return 0;
  }
}

/* Scratch that it needs to. */
static size_t scratch_of(const plan_step *step, const gemm_kernel *kernel) {
  switch (step->op) {
    case SOTTO_OP_LAYERNORM: return (size_t)(kernel->mr * step->columns) * sizeof(float);
    case SOTTO_OP_GEMM: return gemm_scratch_bytes(step->product.kernel, step->weights.k, kernel);
    default:
      return (step->attention->scratch_floats(step->rows, step->head_width) + (size_t)(kernel->mr * step->head_width)) *
             sizeof(float);
  }
}

size_t plan_find_packing(cpu_plan *plan) {
  size_t scratch = 0;
  for (size_t i = 0; i < plan->step_count; i++) {
    plan_step *step = &plan->steps[i], *reader = only_reader(plan, i);
    const region output = output_of(step);
    if (reader == NULL || reader->op != SOTTO_OP_GEMM || reader->product.a.data != output.data ||
        reader->product.a.length != output.floats)
      continue;
    const gemm_kernel *kernel = reader->product.kernel;
    const int64_t k = reader->weights.k;
    const size_t bytes = (size_t)((reader->product.m + kernel->mr - 1) / kernel->mr) * gemm_tile_bytes(kernel, k);
    /* Tiles do not lie where rows do, so what the step reads must lie elsewhere. */
    const int is_in_place = overlaps(output, input_of(step)) || overlaps(output, addend_of(step));
    if (!can_write(step, kernel) || is_in_place || LEAST_SAVING * bytes > (size_t)output.floats * sizeof(float)) continue;
    step->packs = (gemm_tiles){kernel, k, step->output};
    reader->is_packed = 1;
    const size_t needed = scratch_of(step, kernel);
    if (scratch < needed) scratch = needed;
  }
  return scratch;
}

int plan_gives_rows(const cpu_plan *plan, const float *result, int64_t floats) {
  const size_t writer = writer_of(plan, plan->step_count, (region){result, floats});
  return writer == plan->step_count || plan->steps[writer].packs.kernel == NULL;
}

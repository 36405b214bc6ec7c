/* Attention over all heads: first every head's keys and values are packed, then queries attend, a tile at a time.
 *
 * The work is heads × tiles of queries, in this order, cut into one range for each thread: a thread stays with a head's
 * packed keys and values as long as it can, and 64 threads are as evenly loaded as 2. */
#include "plan.h"

typedef struct {
  cpu_plan *plan;
  const plan_step *step;
  const gemm_tiles *to;
  const atomic_int *cancel;
} attention_job;

static int64_t ceil_div(int64_t count, int64_t by) { return (count + by - 1) / by; }

/* Query, key and value of a frame lie side by side: [T, 3, heads, width]. */
static const float *head_of(const plan_step *step, int which, int64_t head) {
  return step->input + which * step->columns + head * step->head_width;
}

static void pack_part(void *context, int part, int parts) {
  const attention_job *job = context;
  const plan_step *step = job->step;
  const attention_kernel *kernel = step->attention;
  const int64_t panels = ceil_div(step->rows, kernel->key_panel);
  const share mine = share_of(step->heads * panels, 1, part, parts);
  for (int64_t item = mine.begin; item < mine.end;) {
    const int64_t head = item / panels, begin = item % panels;
    const int64_t end = panels - begin < mine.end - item ? panels : begin + mine.end - item;
    kernel->pack(head_of(step, 1, head), head_of(step, 2, head), 3 * step->columns, step->rows, step->head_width, begin,
                 end, job->plan->packed_heads + (size_t)head * step->head_floats);
    item += end - begin;
  }
}

static void attend_part(void *context, int part, int parts) {
  const attention_job *job = context;
  const plan_step *step = job->step;
  const attention_kernel *kernel = step->attention;
  const int64_t tiles = ceil_div(step->rows, kernel->query_tile);
  const share mine = share_of(step->heads * tiles, 1, part, parts);
  float *scratch = (float *)(job->plan->scratch + (size_t)part * job->plan->scratch_stride);
  float *waiting = scratch + kernel->scratch_floats(step->rows, step->head_width); /* [queries, width] to be packed */
  for (int64_t item = mine.begin; item < mine.end; item++) {
    if (job->cancel != NULL && atomic_load_explicit(job->cancel, memory_order_relaxed) != 0) return;
    const int64_t head = item / tiles, t = item % tiles * kernel->query_tile;
    const int64_t queries = step->rows - t < kernel->query_tile ? step->rows - t : kernel->query_tile;
    const int is_packing = job->to->kernel != NULL;
    float *out = is_packing ? waiting : step->output + t * step->columns + head * step->head_width;
    kernel->attend(head_of(step, 0, head) + t * 3 * step->columns, 3 * step->columns, (int)queries,
                   job->plan->packed_heads + (size_t)head * step->head_floats, step->rows, step->head_width, out,
                   is_packing ? step->head_width : step->columns, scratch);
    if (is_packing)
      gemm_pack_columns(job->to, item % tiles, head * step->head_width, waiting, step->head_width, (int)queries,
                        step->head_width);
  }
}

void attention_run(cpu_plan *plan, const plan_step *step, const gemm_tiles *to, const atomic_int *cancel) {
  attention_job job = {plan, step, to, cancel};
  pool_run(plan->context->pool, pack_part, &job);
  pool_run(plan->context->pool, attend_part, &job);
}

/* A round of a matmul on the whole array: C [R·M, C·N] = A [R·M, Q·K] · B [Q·K, C·N], each element summed over K in order.
 * A tile's sums stay in F32 (or I32) over all Q steps and are narrowed once, at the end. */
#include <stdlib.h>
#include <string.h>

#include "../cpu/memory.h"
#include "panels.h"
#include "tiles.h"

typedef struct {
  const npu_overlay *overlay;
  const npu_program *program;
  const product_kernels *kernels;
  const uint8_t *const *in, *const *more;
  uint8_t *const *out;
  int64_t depth; /* Q·K */
  int row_blocks, strips;
  void *a;        /* [row_blocks · 8, depth], widened */
  void *b;        /* [strips, depth, width], widened */
  void *c;        /* [row_blocks · 8, strips · width] */
  int32_t *tiles; /* [parts, K, N]: a widened tile of B of each thread */
} matmul_job;

/* The tile of array row `row` at step `step` of K. */
static const uint8_t *a_tile(const matmul_job *job, int row, int64_t step) {
  int column_step, rows_each;
  feeding_columns(job->overlay, &column_step, &rows_each);
  const int64_t bytes = type_bytes(job->program->in, (int64_t)job->program->m * job->program->k);
  return job->in[row / rows_each * column_step] + (step * rows_each + row % rows_each) * bytes;
}

static void widen_a(void *context, int part, int parts) {
  const matmul_job *job = context;
  const npu_program *program = job->program;
  const int64_t steps = job->depth / program->k;
  const share mine = share_of(job->overlay->rows * steps, 1, part, parts);
  for (int64_t i = mine.begin; i < mine.end; i++) {
    const int row = (int)(i / steps);
    const int64_t step = i % steps;
    int32_t *to = (int32_t *)job->a + row * program->m * job->depth + step * program->k;
    widen_tile(program->in, a_tile(job, row, step), program->m, program->k, to, job->depth, 1);
  }
}

/* Strips of `width` columns hold what the product kernel reads next to each other. */
static void widen_b(void *context, int part, int parts) {
  const matmul_job *job = context;
  const npu_program *program = job->program;
  const int k = program->k, n = program->n, width = job->kernels->width;
  const int64_t steps = job->depth / k, bytes = type_bytes(program->in, (int64_t)k * n);
  int32_t *tile = job->tiles + (int64_t)part * k * n;
  const share mine = share_of(job->overlay->columns * steps, 1, part, parts);
  for (int64_t i = mine.begin; i < mine.end; i++) {
    const int column = (int)(i / steps);
    const int64_t step = i % steps;
    const uint8_t *from = job->more[column] + step * bytes;
    if (program->in == TYPE_BFP16) widen_tile(program->in, from, n, k, tile, 1, n); /* comes transposed */
    else widen_tile(program->in, from, k, n, tile, n, 1);
    for (int j = 0; j < n;) {
      const int64_t at = (int64_t)column * n + j, strip = at / width, inside = at % width;
      const int run = n - j < width - inside ? n - j : (int)(width - inside);
      int32_t *to = (int32_t *)job->b + (strip * job->depth + step * k) * width + inside;
      for (int row = 0; row < k; row++)
        memcpy(to + (int64_t)row * width, tile + (int64_t)row * n + j, sizeof *to * (size_t)run);
      j += run;
    }
  }
}

static void multiply(void *context, int part, int parts) {
  const matmul_job *job = context;
  const int width = job->kernels->width;
  const int64_t row_length = (int64_t)job->strips * width;
  const share mine = share_of((int64_t)job->strips * job->row_blocks, 1, part, parts);
  int32_t block[PRODUCT_ROWS * PRODUCT_MAX_WIDTH];
  for (int64_t i = mine.begin; i < mine.end; i++) {
    const int64_t strip = i / job->row_blocks, rows = i % job->row_blocks * PRODUCT_ROWS;
    const int32_t *a = (const int32_t *)job->a + rows * job->depth,
                  *b = (const int32_t *)job->b + strip * job->depth * width;
    if (is_integer(job->program->in)) job->kernels->i32(a, job->depth, b, job->depth, block);
    else job->kernels->f32((const float *)a, job->depth, (const float *)b, job->depth, (float *)block);
    for (int row = 0; row < PRODUCT_ROWS; row++)
      memcpy((int32_t *)job->c + (rows + row) * row_length + strip * width, block + row * width,
             sizeof *block * (size_t)width);
  }
}

static void narrow_c(void *context, int part, int parts) {
  const matmul_job *job = context;
  const npu_program *program = job->program;
  const int rows = job->overlay->rows;
  const int64_t row_length = (int64_t)job->strips * job->kernels->width;
  const int64_t bytes = type_bytes(program->out, (int64_t)program->m * program->n);
  const share mine = share_of((int64_t)rows * job->overlay->columns, 1, part, parts);
  for (int64_t i = mine.begin; i < mine.end; i++) {
    const int column = (int)(i / rows), row = (int)(i % rows);
    const int32_t *from = (const int32_t *)job->c + row * program->m * row_length + (int64_t)column * program->n;
    narrow_tile(program->out, from, row_length, program->m, program->n, job->out[column] + row * bytes);
  }
}

/* Below this many operations the threads cost more than they bring. */
enum { SMALL_ROUND = 1 << 20 };

static void on(thread_pool *pool, pool_job job, void *context) {
  if (pool == NULL) job(context, 0, 1);
  else pool_run(pool, job, context);
}

int matmul_round(const npu_overlay *overlay, const npu_program *program, uint32_t reduce, const uint8_t *const *in,
                 const uint8_t *const *more, uint8_t *const *out, thread_pool *pool) {
  matmul_job job = {.overlay = overlay, .program = program, .kernels = products(), .in = in, .more = more, .out = out};
  const int64_t rows = (int64_t)overlay->rows * program->m, columns = (int64_t)overlay->columns * program->n;
  job.depth = (int64_t)reduce * program->k;
  job.row_blocks = (int)((rows + PRODUCT_ROWS - 1) / PRODUCT_ROWS);
  job.strips = (int)((columns + job.kernels->width - 1) / job.kernels->width);
  const size_t padded_rows = (size_t)job.row_blocks * PRODUCT_ROWS,
               padded = (size_t)job.strips * (size_t)job.kernels->width;
  const size_t a_numbers = padded_rows * (size_t)job.depth, b_numbers = padded * (size_t)job.depth,
               c_numbers = padded_rows * padded;
  if (2 * rows * columns * job.depth < SMALL_ROUND) pool = NULL;
  const size_t tile_numbers = (size_t)(pool == NULL ? 1 : pool_threads(pool)) * (size_t)program->k * (size_t)program->n;
  int32_t *memory = memory_allocate(4 * (a_numbers + b_numbers + c_numbers + tile_numbers));
  if (memory == NULL) return 0;
  job.a = memory;
  job.b = memory + a_numbers;
  job.c = memory + a_numbers + b_numbers;
  job.tiles = memory + a_numbers + b_numbers + c_numbers;
  if (padded_rows != (size_t)rows)
    memset((int32_t *)job.a + rows * job.depth, 0, 4 * (padded_rows - (size_t)rows) * (size_t)job.depth);
  if (padded != (size_t)columns) memset(job.b, 0, 4 * b_numbers);
  on(pool, widen_a, &job);
  on(pool, widen_b, &job);
  on(pool, multiply, &job);
  on(pool, narrow_c, &job);
  memory_free(memory);
  return 1;
}

/* Attention on tiles: for each tile of keys in turn, with m and l the running maximum and sum of a row of queries,
 *
 *     s = scale · (q · k), summed over the head's width in order      (masked keys: p = 0)
 *     m' = max(m, max s);  a = exp(m - m');  p = bf16(exp(s - m'))
 *     l = a·l + (p0 + p1 + …);  o = a·o + (p0·v0 + p1·v1 + …)
 *
 * and o / l at the end; each operation rounded once in F32, sums over keys in order from +0. */
#include <math.h>
#include <string.h>

#include "../cpu/memory.h"
#include "numbers.h"
#include "panels.h"
#include "tile_exp.h"
#include "tiles.h"

typedef struct {
  const npu_overlay *overlay;
  const npu_program *program;
  const product_kernels *kernels;
  const uint8_t *const *in, *const *more;
  uint8_t *const *out;
  uint32_t tiles, keys;
  float scale;
  int64_t keys_numbers, values_numbers; /* of one packed tile of keys, of values */
  float *packed;                        /* [columns, tiles, keys_numbers + values_numbers] */
  float *scratch;                       /* [parts, scratch_numbers] */
  int64_t scratch_numbers;
} attention_job;

static int64_t padded(int64_t count, int64_t step) { return (count + step - 1) / step * step; }

/* Packs [rows, columns] into strips of `width` columns: what a product reads. */
static void pack(const float *from, int rows, int columns, int64_t row_stride, int64_t column_stride, int width,
                 float *to) {
  for (int strip = 0; strip * width < columns; strip++)
    for (int row = 0; row < rows; row++)
      for (int i = 0; i < width; i++) {
        const int column = strip * width + i;
        *to++ = column < columns ? from[row * row_stride + column * column_stride] : 0.0f;
      }
}

static float *packed_tile(const attention_job *job, int column, uint32_t tile) {
  return job->packed + ((int64_t)column * job->tiles + tile) * (job->keys_numbers + job->values_numbers);
}

static void pack_keys(void *context, int part, int parts) {
  const attention_job *job = context;
  const npu_program *program = job->program;
  const int keys = program->m, width = program->k;
  const int64_t bytes = type_bytes(program->in, (int64_t)keys * width);
  float *plain = job->scratch + part * job->scratch_numbers;
  const share mine = share_of((int64_t)job->overlay->columns * job->tiles, 1, part, parts);
  for (int64_t i = mine.begin; i < mine.end; i++) {
    const int column = (int)(i / job->tiles);
    const uint32_t tile = (uint32_t)(i % job->tiles);
    const uint8_t *from = job->more[column] + 2 * tile * bytes;
    float *to = packed_tile(job, column, tile);
    widen_tile(program->in, from, keys, width, plain, width, 1);
    pack(plain, width, keys, 1, width, job->kernels->width, to); /* transposed */
    widen_tile(program->in, from + bytes, keys, width, plain, width, 1);
    pack(plain, keys, width, width, 1, job->kernels->width, to + job->keys_numbers);
  }
}

/* c [rows, columns padded to strips] = a [rows, depth] · packed b; rows a multiple of 8. */
static void multiply(const product_kernels *kernels, const float *a, int rows, int depth, const float *b, int columns,
                     float *c) {
  const int64_t length = padded(columns, kernels->width);
  float block[PRODUCT_ROWS * PRODUCT_MAX_WIDTH];
  for (int64_t strip = 0; strip * kernels->width < columns; strip++)
    for (int row = 0; row < rows; row += PRODUCT_ROWS) {
      kernels->f32(a + (int64_t)row * depth, depth, b + strip * depth * kernels->width, depth, block);
      for (int i = 0; i < PRODUCT_ROWS; i++)
        memcpy(c + (row + i) * length + strip * kernels->width, block + i * kernels->width,
               sizeof *block * (size_t)kernels->width);
    }
}

/* One row's scores become weights in place; answers with a. */
static float weigh(float *scores, int keys, int valid, float scale, float *maximum, float *sum) {
  float highest = *maximum;
  for (int j = 0; j < valid; j++) {
    scores[j] = scores[j] * scale;
    if (scores[j] > highest || scores[j] != scores[j]) highest = scores[j];
  }
  const float shrink = *maximum == highest ? 1.0f : tile_exp(*maximum - highest);
  for (int j = 0; j < valid; j++) scores[j] = tile_exp(scores[j] - highest);
  for (int j = 0; j < valid; j++) scores[j] = bf16_decode(bf16_encode(scores[j]));
  for (int j = valid; j < keys; j++) scores[j] = 0.0f;
  float added = 0.0f;
  for (int j = 0; j < valid; j++) added = added + scores[j];
  const float kept = *sum * shrink;
  *sum = kept + added;
  *maximum = highest;
  return shrink;
}

static void attend(void *context, int part, int parts) {
  const attention_job *job = context;
  const npu_program *program = job->program;
  const int rows = program->m, width = program->k, array_rows = job->overlay->rows;
  const int64_t score_length = padded(rows, job->kernels->width), value_length = padded(width, job->kernels->width);
  float *queries = job->scratch + part * job->scratch_numbers, *scores = queries + rows * width;
  float *added = scores + rows * score_length, *sums = added + rows * value_length, *maxima = sums + rows * width,
        *totals = maxima + rows;
  const share mine = share_of((int64_t)job->overlay->columns * array_rows, 1, part, parts);
  for (int64_t i = mine.begin; i < mine.end; i++) {
    const int column = (int)(i / array_rows), row = (int)(i % array_rows);
    widen_tile(program->in, job->in[column] + row * type_bytes(program->in, (int64_t)rows * width), rows, width,
               queries, width, 1);
    memset(sums, 0, sizeof *sums * (size_t)(rows * width));
    for (int q = 0; q < rows; q++) {
      maxima[q] = -INFINITY;
      totals[q] = 0.0f;
    }
    for (uint32_t tile = 0; tile < job->tiles; tile++) {
      const int64_t left = (int64_t)job->keys - (int64_t)tile * rows;
      const int valid = left < 0 ? 0 : left < rows ? (int)left : rows;
      if (valid == 0) break;
      const float *keys = packed_tile(job, column, tile);
      multiply(job->kernels, queries, rows, width, keys, rows, scores);
      /* Weights lie as closely as queries do: rows are the depth of the second product. */
      float *weights = scores;
      for (int q = 0; q < rows; q++) {
        const float shrink = weigh(scores + q * score_length, rows, valid, job->scale, &maxima[q], &totals[q]);
        memmove(weights + (int64_t)q * rows, scores + q * score_length, sizeof *scores * (size_t)rows);
        for (int d = 0; d < width; d++) sums[q * width + d] = sums[q * width + d] * shrink;
      }
      multiply(job->kernels, weights, rows, rows, keys + job->keys_numbers, width, added);
      for (int q = 0; q < rows; q++)
        for (int d = 0; d < width; d++) sums[q * width + d] = sums[q * width + d] + added[q * value_length + d];
    }
    for (int q = 0; q < rows; q++)
      for (int d = 0; d < width; d++) sums[q * width + d] = sums[q * width + d] / totals[q];
    narrow_tile(program->out, sums, width, rows, width,
                job->out[column] + row * type_bytes(program->out, (int64_t)rows * width));
  }
}

int attention_round(const npu_overlay *overlay, const npu_program *program, const uint32_t *runtime,
                    const uint8_t *const *in, const uint8_t *const *more, uint8_t *const *out, thread_pool *pool) {
  attention_job job = {
      .overlay = overlay, .program = program, .kernels = products(), .in = in, .more = more, .out = out};
  const int64_t rows = program->m, width = program->k, strip = job.kernels->width;
  job.tiles = runtime[1];
  job.keys = runtime[2] == 0 ? job.tiles * (uint32_t)rows : runtime[2];
  job.scale = runtime[3] == 0 ? 1.0f : float_of(runtime[3]);
  job.keys_numbers = width * padded(rows, strip);
  job.values_numbers = rows * padded(width, strip);
  job.scratch_numbers = padded(2 * rows * width + rows * (padded(rows, strip) + padded(width, strip)) + 2 * rows, 16);
  const int64_t parts = pool == NULL ? 1 : pool_threads(pool);
  const int64_t packed_numbers = overlay->columns * (int64_t)job.tiles * (job.keys_numbers + job.values_numbers);
  float *memory = memory_allocate(sizeof *memory * (size_t)(packed_numbers + parts * job.scratch_numbers));
  if (memory == NULL) return 0;
  job.packed = memory;
  job.scratch = memory + packed_numbers;
  if (pool == NULL) {
    pack_keys(&job, 0, 1);
    attend(&job, 0, 1);
  } else {
    pool_run(pool, pack_keys, &job);
    pool_run(pool, attend, &job);
  }
  memory_free(memory);
  return 1;
}

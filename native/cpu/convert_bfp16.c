/* sotto_cpu_convert_f32_to_bfp16 and back: checks, padding, and bands of eight rows split over the threads. */
#include <string.h>

#include "bfp16_layout.h"
#include "convert.h"

/* Two bands: in a transposed matrix they share cache lines. */
enum { BAND = BFP16_SUBTILE_ROWS, GRAIN = 2 * BAND };

typedef struct {
  const kernel_table *kernels;
  bfp16_layout layout;
  float *values;
  int64_t row_stride, column_stride;
  int is_nearest;
  uint8_t *blocks;
} bfp16_job;

static int64_t least_of(int64_t a, int64_t b) { return a < b ? a : b; }

static void encode_part(void *argument, int part, int parts) {
  const bfp16_job *job = argument;
  const share rows = share_of(job->layout.rows, GRAIN, part, parts);
  for (int64_t row = rows.begin; row < rows.end; row += BAND) {
    const float *const band = job->values + row * job->row_stride;
    for (int64_t column = 0; column < job->layout.columns;) {
      const bfp16_run run = bfp16_layout_run(&job->layout, row, column);
      job->kernels->encode_bfp16(band + column * job->column_stride, job->row_stride, job->column_stride,
                                 least_of(BAND, rows.end - row), least_of(run.columns, job->layout.columns - column),
                                 job->is_nearest, job->blocks + run.offset, run.row_step, run.block_step);
      column += run.columns;
    }
  }
}

static void decode_part(void *argument, int part, int parts) {
  const bfp16_job *job = argument;
  const share rows = share_of(job->layout.rows, GRAIN, part, parts);
  for (int64_t row = rows.begin; row < rows.end; row += BAND)
    for (int64_t column = 0; column < job->layout.columns;) {
      const bfp16_run run = bfp16_layout_run(&job->layout, row, column);
      job->kernels->decode_bfp16(job->blocks + run.offset, run.row_step, run.block_step,
                                 least_of(BAND, rows.end - row), least_of(run.columns, job->layout.columns - column),
                                 job->values + row * job->row_stride + column, job->row_stride);
      column += run.columns;
    }
}

static int32_t convert(uint64_t context, pool_job part, bfp16_job *job, error_sink error) {
  cpu_context *held = convert_acquire(context, error);
  if (held == NULL) return SOTTO_INVALID_HANDLE;
  job->kernels = held->kernels;
  convert_run(held, part, job, job->layout.rows * job->layout.columns);
  object_release(&held->object);
  return SOTTO_OK;
}

static int32_t check(const bfp16_job *job, size_t values_length, size_t blocks_length, error_sink error) {
  const size_t values = (size_t)(job->layout.rows * job->layout.columns);
  const int32_t status = convert_check("values", job->values, values_length, values, error);
  if (status != SOTTO_OK) return status;
  return convert_check("blocks", job->blocks, blocks_length, (size_t)bfp16_layout_bytes(&job->layout), error);
}

int32_t sotto_cpu_convert_f32_to_bfp16(uint64_t context, const float *values, size_t values_length, int32_t rows,
                                       int32_t columns, int32_t is_transposed, int32_t is_nearest,
                                       const int32_t *layout, size_t layout_length, uint8_t *blocks,
                                       size_t blocks_length, char *text, size_t text_capacity) {
  const error_sink error = {text, text_capacity};
  bfp16_job job = {.values = (float *)values, .blocks = blocks, .is_nearest = is_nearest != 0};
  int32_t status = bfp16_layout_read(rows, columns, layout, layout_length, &job.layout, error);
  if (status == SOTTO_OK) status = check(&job, values_length, blocks_length, error);
  if (status != SOTTO_OK) return status;
  job.row_stride = is_transposed ? 1 : columns;
  job.column_stride = is_transposed ? rows : 1;
  const int is_padded = job.layout.stored_rows != rows || job.layout.stored_columns != columns;
  if (is_padded) memset(blocks, 0, blocks_length);
  return convert(context, encode_part, &job, error);
}

int32_t sotto_cpu_convert_bfp16_to_f32(uint64_t context, const uint8_t *blocks, size_t blocks_length, int32_t rows,
                                       int32_t columns, const int32_t *layout, size_t layout_length, float *values,
                                       size_t values_length, char *text, size_t text_capacity) {
  const error_sink error = {text, text_capacity};
  bfp16_job job = {.values = values, .blocks = (uint8_t *)blocks, .row_stride = columns, .column_stride = 1};
  int32_t status = bfp16_layout_read(rows, columns, layout, layout_length, &job.layout, error);
  if (status == SOTTO_OK) status = check(&job, values_length, blocks_length, error);
  if (status != SOTTO_OK) return status;
  return convert(context, decode_part, &job, error);
}

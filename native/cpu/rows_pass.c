/* sotto_cpu_rows_pass: what a host does between two products of another device, in one pass over the rows.
 *
 *   x = source · row scale · column scale + bias;  GELU;  + addend  → out;  layer norm;  → target, converted
 *
 * Bands of eight rows stay in the cache from the source to the target. */
#include <stdlib.h>
#include <string.h>

#include "bfp16_layout.h"
#include "convert.h"
#include "format_scalar.h"

enum { BAND = BFP16_SUBTILE_ROWS };

typedef struct {
  const kernel_table *kernels;
  int64_t rows, columns;
  int source_type, is_gelu;
  const uint8_t *source;
  int64_t source_stride;
  const float *row_scales, *column_scales; /* NULL: 1 */
  int64_t row_scale_step;                  /* 0 where one scale serves all rows */
  const float *bias, *addend, *norm_weight, *norm_bias; /* or NULL */
  float *out;                                           /* or NULL */
  int32_t target_type;
  uint8_t *target;
  int64_t target_stride, target_rows, target_first;
  float *target_scales;
  bfp16_layout layout;
  float *scratch; /* BAND · columns floats a part */
} rows_job;

/* ---- The way to F32. */

static void load_row(const rows_job *job, int64_t row, float *x) {
  const int64_t n = job->columns;
  const float scale = job->row_scales == NULL ? 1.0f : job->row_scales[row * job->row_scale_step];
  if (job->source_type == SOTTO_ROWS_FROM_I32) {
    const int32_t *source = (const int32_t *)(const void *)job->source + row * job->source_stride;
    for (int64_t c = 0; c < n; c++) x[c] = (float)source[c];
  } else if (job->source_type == SOTTO_ROWS_FROM_BF16) {
    job->kernels->widen_bf16((const uint16_t *)(const void *)job->source + row * job->source_stride, n, x);
  } else {
    memcpy(x, (const float *)(const void *)job->source + row * job->source_stride, (size_t)n * sizeof *x);
  }
  if (job->column_scales != NULL)
    for (int64_t c = 0; c < n; c++) x[c] *= scale * job->column_scales[c];
  if (job->bias != NULL)
    for (int64_t c = 0; c < n; c++) x[c] += job->bias[c];
  if (job->is_gelu) job->kernels->gelu(x, n);
  if (job->addend != NULL) {
    const float *addend = job->addend + row * n;
    for (int64_t c = 0; c < n; c++) x[c] += addend[c];
  }
  if (job->out != NULL) memcpy(job->out + row * n, x, (size_t)n * sizeof *x);
}

/* ---- The way to the target. */

static void store_bf16(const rows_job *job, int64_t row, const float *x) {
  uint16_t *target = (uint16_t *)(void *)job->target + (job->target_first + row) * job->target_stride;
  job->kernels->narrow_bf16(x, job->columns, target);
  memset(target + job->columns, 0, (size_t)(job->target_stride - job->columns) * sizeof *target);
}

static void store_f32(const rows_job *job, int64_t row, const float *x) {
  float *target = (float *)(void *)job->target + (job->target_first + row) * job->target_stride;
  memcpy(target, x, (size_t)job->columns * sizeof *x);
  memset(target + job->columns, 0, (size_t)(job->target_stride - job->columns) * sizeof *target);
}

/* One scale for the row, as tensor/integers.ts defines symmetric ones. */
static void store_i8(const rows_job *job, int64_t row, const float *x) {
  int8_t *target = (int8_t *)job->target + (job->target_first + row) * job->target_stride;
  float low = 0, high = 0;
  job->kernels->range(x, job->columns, &low, &high);
  const float step = (-low > high ? -low : high) / 127.0f;
  const float scale = step > I8_LEAST_SCALE ? step : I8_LEAST_SCALE;
  const i8_step code = {1 / scale, 0, -127};
  job->kernels->quantize_i8(x, job->columns, &code, target);
  memset(target + job->columns, 0, (size_t)(job->target_stride - job->columns));
  job->target_scales[row] = scale;
}

static void store_bfp16(const rows_job *job, int64_t row, int64_t count, const float *x) {
  for (int64_t column = 0; column < job->columns;) {
    const bfp16_run run = bfp16_layout_run(&job->layout, row, column);
    const int64_t left = job->columns - column;
    job->kernels->encode_bfp16(x + column, job->columns, 1, count, run.columns < left ? run.columns : left, 1,
                               job->target + run.offset, run.row_step, run.block_step);
    column += run.columns;
  }
}

static void pass_part(void *argument, int part, int parts) {
  const rows_job *job = argument;
  float *const band = job->scratch + (int64_t)part * BAND * job->columns;
  const share rows = share_of(job->rows, BAND, part, parts);
  for (int64_t row = rows.begin; row < rows.end; row += BAND) {
    const int64_t count = rows.end - row < BAND ? rows.end - row : BAND;
    for (int64_t i = 0; i < count; i++) load_row(job, row + i, band + i * job->columns);
    if (job->norm_weight != NULL)
      job->kernels->layernorm(band, band, job->norm_weight, job->norm_bias, count, job->columns);
    if (job->target_type == SOTTO_ROWS_BFP16) store_bfp16(job, row, count, band);
    else
      for (int64_t i = 0; i < count; i++) {
        const float *x = band + i * job->columns;
        if (job->target_type == SOTTO_ROWS_BF16) store_bf16(job, row + i, x);
        if (job->target_type == SOTTO_ROWS_I8) store_i8(job, row + i, x);
        if (job->target_type == SOTTO_ROWS_F32) store_f32(job, row + i, x);
      }
  }
}

/* ---- Checks. */

static int64_t target_bytes(const rows_job *job) {
  const int64_t values = job->target_rows * job->target_stride;
  switch (job->target_type) {
  case SOTTO_ROWS_F32: return 4 * values;
  case SOTTO_ROWS_BF16: return 2 * values;
  case SOTTO_ROWS_I8: return values;
  case SOTTO_ROWS_BFP16: return values / BFP16_BLOCK * BFP16_BLOCK_BYTES;
  default: return 0;
  }
}

/* Rows around the matrix become zeros; of BFP16 everything that the bands do not reach. */
static void clear_around(const rows_job *job) {
  const int64_t bytes = target_bytes(job);
  if (job->target_type == SOTTO_ROWS_BFP16) {
    if (job->target_rows != job->rows || job->target_stride != job->columns) memset(job->target, 0, (size_t)bytes);
    return;
  }
  const int64_t row = bytes / job->target_rows, behind = job->target_first + job->rows;
  memset(job->target, 0, (size_t)(job->target_first * row));
  memset(job->target + behind * row, 0, (size_t)((job->target_rows - behind) * row));
}

static int32_t read_shape(rows_job *job, const int64_t *shape, size_t length, error_sink error) {
  if (shape == NULL || length != SOTTO_ROWS_WORDS)
    return fail(error, SOTTO_INVALID_ARGUMENT, "Cannot pass over rows: shape must have %d words", SOTTO_ROWS_WORDS);
  job->rows = shape[0];
  job->columns = shape[1];
  job->source_type = (int)shape[2];
  job->source_stride = shape[3];
  job->is_gelu = shape[5] != 0;
  job->target_type = (int32_t)shape[6];
  job->target_stride = shape[7];
  job->target_rows = shape[8];
  job->target_first = shape[9];
  const int64_t most = (int64_t)1 << 31;
  if (job->rows < 1 || job->columns < 1 || job->rows >= most || job->columns >= most ||
      job->rows * job->columns >= most || shape[2] < 0 ||
      shape[2] > SOTTO_ROWS_FROM_BF16)
    return fail(error, SOTTO_INVALID_ARGUMENT, "Cannot pass over rows: got [%lld, %lld]", (long long)job->rows,
                (long long)job->columns);
  if (job->source_stride < job->columns || job->source_stride >= most)
    return fail(error, SOTTO_INVALID_ARGUMENT, "Cannot pass over rows: a row of the source has %lld values, the matrix %lld",
                (long long)job->source_stride, (long long)job->columns);
  if (job->target_type == SOTTO_ROWS_NONE) return SOTTO_OK;
  const int is_bfp16 = job->target_type == SOTTO_ROWS_BFP16;
  if (job->target_type < 0 || job->target_type > SOTTO_ROWS_I8 || job->target_stride < job->columns ||
      job->target_stride >= most || job->target_first < 0 || job->target_first + job->rows > job->target_rows ||
      job->target_rows >= most || (is_bfp16 && job->target_first != 0))
    return fail(error, SOTTO_INVALID_ARGUMENT, "Cannot pass over rows: the target [%lld, %lld] of type %d has no room at row %lld",
                (long long)job->target_rows, (long long)job->target_stride, (int)job->target_type,
                (long long)job->target_first);
  if (!is_bfp16) return SOTTO_OK;
  const int32_t layout[SOTTO_BFP16_LAYOUT_WORDS] = {1, (int32_t)job->target_rows, (int32_t)job->target_stride,
                                                    (int32_t)shape[11], (int32_t)shape[12]};
  return bfp16_layout_read((int32_t)job->rows, (int32_t)job->columns, layout, SOTTO_BFP16_LAYOUT_WORDS, &job->layout,
                           error);
}

/* An array that may be absent. */
static int32_t check_optional(const char *name, const void *array, size_t length, size_t wanted, error_sink error) {
  return length == 0 ? SOTTO_OK : convert_check(name, array, length, wanted, error);
}

int32_t sotto_cpu_rows_pass(uint64_t context, const int64_t *shape, size_t shape_length, const uint8_t *source,
                            size_t source_length, const float *row_scales, size_t row_scales_length,
                            const float *column_scales, size_t column_scales_length, const float *bias,
                            size_t bias_length, const float *addend, size_t addend_length, float *out,
                            size_t out_length, const float *norm_weight, size_t norm_weight_length,
                            const float *norm_bias, size_t norm_bias_length, uint8_t *target, size_t target_length,
                            float *target_scales, size_t target_scales_length, char *text, size_t text_capacity) {
  const error_sink error = {text, text_capacity};
  rows_job job = {0};
  int32_t status = read_shape(&job, shape, shape_length, error);
  if (status != SOTTO_OK) return status;
  const size_t rows = (size_t)job.rows, columns = (size_t)job.columns, values = rows * columns;
  const uint64_t source_address = (uint64_t)shape[4], target_address = (uint64_t)shape[10];
  const size_t source_size = job.source_type == SOTTO_ROWS_FROM_BF16 ? 2 : 4;
  const size_t source_bytes = source_size * ((rows - 1) * (size_t)job.source_stride + columns);
  if (source_address == 0 && (source == NULL || source_length < source_bytes))
    return fail(error, SOTTO_INVALID_ARGUMENT, "Cannot pass over rows: source must have %zu bytes, got %zu", source_bytes, source_length);
  if (source_address % 4 != 0 || target_address % 4 != 0)
    return fail(error, SOTTO_INVALID_ARGUMENT, "Cannot pass over rows: addresses must be multiples of 4");
  const size_t wanted = (size_t)target_bytes(&job);
  if (target_address == 0) status = convert_check("target", target, target_length, wanted, error);
  const size_t scaled_rows = row_scales_length == 1 ? 1 : rows;
  if (status == SOTTO_OK) status = check_optional("row scales", row_scales, row_scales_length, scaled_rows, error);
  if (status == SOTTO_OK) status = check_optional("column scales", column_scales, column_scales_length, columns, error);
  if (status == SOTTO_OK) status = check_optional("bias", bias, bias_length, columns, error);
  if (status == SOTTO_OK) status = check_optional("addend", addend, addend_length, values, error);
  if (status == SOTTO_OK) status = check_optional("out", out, out_length, values, error);
  if (status == SOTTO_OK) status = check_optional("norm weight", norm_weight, norm_weight_length, columns, error);
  if (status == SOTTO_OK && norm_weight_length > 0) status = convert_check("norm bias", norm_bias, norm_bias_length, columns, error);
  if (status == SOTTO_OK && job.target_type == SOTTO_ROWS_I8) status = convert_check("target scales", target_scales, target_scales_length, rows, error);
  if (status == SOTTO_OK && row_scales_length > 0 && column_scales_length == 0)
    status = fail(error, SOTTO_INVALID_ARGUMENT, "Cannot pass over rows: row scales need column scales");
  if (status != SOTTO_OK) return status;

  job.source = source_address != 0 ? (const uint8_t *)(uintptr_t)source_address : source;
  job.target = target_address != 0 ? (uint8_t *)(uintptr_t)target_address : target;
  job.row_scales = row_scales_length > 0 ? row_scales : NULL;
  job.row_scale_step = row_scales_length > 1;
  job.column_scales = column_scales_length > 0 ? column_scales : NULL;
  job.bias = bias_length > 0 ? bias : NULL;
  job.addend = addend_length > 0 ? addend : NULL;
  job.out = out_length > 0 ? out : NULL;
  job.norm_weight = norm_weight_length > 0 ? norm_weight : NULL;
  job.norm_bias = norm_bias;
  job.target_scales = target_scales;

  cpu_context *held = convert_acquire(context, error);
  if (held == NULL) return SOTTO_INVALID_HANDLE;
  job.kernels = held->kernels;
  job.scratch = malloc((size_t)pool_threads(held->pool) * BAND * columns * sizeof *job.scratch);
  if (job.scratch == NULL) {
    status = fail(error, SOTTO_OUT_OF_MEMORY, "Cannot pass over rows: no memory for %zu columns", columns);
  } else {
    if (job.target_type != SOTTO_ROWS_NONE) clear_around(&job);
    convert_run(held, pass_part, &job, job.rows * job.columns);
    free(job.scratch);
  }
  object_release(&held->object);
  return status;
}

/* sotto_cpu_convert_f32_to_i8 and back. Blocks that share a scale are the whole matrix, columns, or runs within rows;
 * each kind has its own split over the threads. */
#include <stdlib.h>

#include "convert.h"
#include "format_scalar.h"

/* Values a thread takes of one block: whole cache lines. */
enum { VALUE_GRAIN = 64 };

/* Values whose ranges are found before they are quantized: they stay in the first-level cache. */
enum { BATCH_VALUES = 4096 };

typedef struct {
  const kernel_table *kernels;
  float *values;
  int8_t *codes;
  int64_t rows, columns, block_columns;
  int32_t scheme;
  float *scales;
  int32_t *zeros;     /* or NULL */
  float *low, *high;  /* scratch: of each part; of columns [parts, columns] */
  float *reciprocals; /* scratch: of each column */
} i8_job;

/* ---- Scales, as tensor/integers.ts defines them. */

/* A quotient of two F32, rounded to F32, is the same by way of a double, as JavaScript has it. */
static float symmetric_scale(float low, float high) {
  const float step = (-low > high ? -low : high) / 127.0f;
  return step > I8_LEAST_SCALE ? step : I8_LEAST_SCALE;
}

static void choose_scale(float low, float high, int32_t scheme, float *scale, int32_t *zero) {
  if (scheme == SOTTO_I8_SYMMETRIC) {
    *scale = symmetric_scale(low, high);
    return;
  }
  const float step = (float)(((double)high - (double)low) / 255);
  *scale = step > I8_LEAST_SCALE ? step : I8_LEAST_SCALE;
  const double rounded = rint(-128 - (double)low / (double)*scale);
  *zero = rounded < -128 ? -128 : rounded > 127 ? 127 : (int32_t)rounded;
}

static i8_step step_of(const i8_job *job, int64_t block) {
  return (i8_step){1 / job->scales[block], job->zeros ? job->zeros[block] : 0, job->zeros ? -128 : -127};
}

static void choose(const i8_job *job, int64_t block, float low, float high) {
  choose_scale(low, high, job->scheme, &job->scales[block], job->zeros ? &job->zeros[block] : NULL);
}

/* ---- Runs within rows: all ranges of a batch first, which brings it into the cache, then all scales, then all codes.
 * Taken one by one, short runs would wait for a range, two divisions and a rounding each (measured at 64 values in the
 * cache: 22 ns a run, in batches 6.8). While a batch is quantized memory would be idle: the next one is fetched
 * meanwhile. */

/* Runs of a batch at most; values whose counterparts in the next batch are fetched at a time. */
enum { BATCH_RUNS = 64, FETCH_VALUES = 512, LINE_VALUES = 16 };

static void fetch(const float *values, int64_t count) {
  for (int64_t i = 0; i < count; i += LINE_VALUES) __builtin_prefetch(values + i);
}

static void choose_runs(const i8_job *job, int64_t begin, int64_t runs) {
  float low[BATCH_RUNS], high[BATCH_RUNS];
  job->kernels->range_runs(job->values + begin * job->block_columns, job->block_columns, runs, low, high);
  if (job->scheme != SOTTO_I8_SYMMETRIC) {
    for (int64_t r = 0; r < runs; r++) choose(job, begin + r, low[r], high[r]);
    return;
  }
  float *const scales = job->scales + begin;
  for (int64_t r = 0; r < runs; r++) scales[r] = symmetric_scale(low[r], high[r]); /* a loop that compilers vectorize */
}

static void quantize_run(const i8_job *job, int64_t run, float reciprocal, int64_t ahead) {
  const i8_step step = {reciprocal, job->zeros ? job->zeros[run] : 0, job->zeros ? -128 : -127};
  const int64_t length = job->block_columns;
  const float *values = job->values + run * length;
  int8_t *codes = job->codes + run * length;
  for (int64_t i = 0; i < length; i += FETCH_VALUES) {
    const int64_t count = length - i < FETCH_VALUES ? length - i : FETCH_VALUES;
    if (ahead > 0) fetch(values + i + ahead, count);
    job->kernels->quantize_i8(values + i, count, &step, codes + i);
  }
}

/* `ahead`: values from a run to its counterpart in the next batch, 0 where there is none. */
static void quantize_batch(const i8_job *job, int64_t begin, int64_t runs, int64_t ahead) {
  float reciprocals[BATCH_RUNS];
  if (job->scheme != SOTTO_I8_GIVEN) choose_runs(job, begin, runs);
  for (int64_t r = 0; r < runs; r++) reciprocals[r] = 1 / job->scales[begin + r];
  for (int64_t r = 0; r < runs; r++) quantize_run(job, begin + r, reciprocals[r], ahead);
}

static void quantize_runs(void *argument, int part, int parts) {
  const i8_job *job = argument;
  const int64_t length = job->block_columns, fitting = length < BATCH_VALUES ? BATCH_VALUES / length : 1;
  const int64_t batch = fitting < BATCH_RUNS ? fitting : BATCH_RUNS;
  const share runs = share_of(job->rows * job->columns / length, 1, part, parts);
  for (int64_t i = runs.begin; i < runs.end; i += batch)
    quantize_batch(job, i, runs.end - i < batch ? runs.end - i : batch, runs.end - i < 2 * batch ? 0 : batch * length);
}

static void dequantize_runs(void *argument, int part, int parts) {
  const i8_job *job = argument;
  const int64_t length = job->block_columns;
  const share runs = share_of(job->rows * job->columns / length, 1, part, parts);
  for (int64_t i = runs.begin; i < runs.end; i++)
    job->kernels->dequantize_i8(job->codes + i * length, length, job->scales[i], job->zeros ? job->zeros[i] : 0,
                                job->values + i * length);
}

/* ---- One block. */

static void range_part(void *argument, int part, int parts) {
  const i8_job *job = argument;
  const share values = share_of(job->rows * job->columns, VALUE_GRAIN, part, parts);
  job->kernels->range(job->values + values.begin, values.end - values.begin, &job->low[part], &job->high[part]);
}

static void quantize_values(void *argument, int part, int parts) {
  const i8_job *job = argument;
  const share values = share_of(job->rows * job->columns, VALUE_GRAIN, part, parts);
  const i8_step step = step_of(job, 0);
  job->kernels->quantize_i8(job->values + values.begin, values.end - values.begin, &step, job->codes + values.begin);
}

static void dequantize_values(void *argument, int part, int parts) {
  const i8_job *job = argument;
  const share values = share_of(job->rows * job->columns, VALUE_GRAIN, part, parts);
  job->kernels->dequantize_i8(job->codes + values.begin, values.end - values.begin, job->scales[0],
                              job->zeros ? job->zeros[0] : 0, job->values + values.begin);
}

/* ---- Columns: each thread takes rows, which lie one after the other in memory, and finds the ranges of all columns there.
 * Taking columns instead, memory would be read in pieces (measured on one thread, 1024 columns of 2048: 8.6 ms, not 6.9). */

static void range_rows(void *argument, int part, int parts) {
  const i8_job *job = argument;
  const share rows = share_of(job->rows, 1, part, parts);
  job->kernels->range_columns(job->values + rows.begin * job->columns, job->columns, rows.end - rows.begin, job->columns,
                              job->low + part * job->columns, job->high + part * job->columns);
}

/* `parts`: how many have found ranges. */
static void choose_columns(const i8_job *job, int parts) {
  for (int64_t c = 0; c < job->columns; c++) {
    float low = 0, high = 0;
    for (int part = 0; part < parts; part++) {
      widen_range(job->low[part * job->columns + c], &low, &high);
      widen_range(job->high[part * job->columns + c], &low, &high);
    }
    choose(job, c, low, high);
  }
}

static void quantize_rows(void *argument, int part, int parts) {
  const i8_job *job = argument;
  const share rows = share_of(job->rows, 1, part, parts);
  for (int64_t r = rows.begin; r < rows.end; r++)
    job->kernels->quantize_columns_i8(job->values + r * job->columns, job->columns, job->reciprocals, job->zeros,
                                      job->codes + r * job->columns);
}

static void dequantize_rows(void *argument, int part, int parts) {
  const i8_job *job = argument;
  const share rows = share_of(job->rows, 1, part, parts);
  for (int64_t r = rows.begin; r < rows.end; r++)
    job->kernels->dequantize_columns_i8(job->codes + r * job->columns, job->columns, job->scales, job->zeros,
                                        job->values + r * job->columns);
}

/* ---- Checks. */

typedef enum { BLOCK_MATRIX, BLOCK_COLUMNS, BLOCK_RUNS } block_kind;

static int32_t check_blocks(int32_t rows, int32_t columns, int32_t block_rows, int32_t block_columns, block_kind *kind,
                            size_t *blocks, error_sink error) {
  if (rows < 1 || columns < 1)
    return fail(error, SOTTO_INVALID_ARGUMENT, "Cannot convert because rows and columns must be at least 1: got %d × %d",
                rows, columns);
  const int is_whole = block_rows == rows && block_columns == columns;
  const int is_columns = block_rows == rows && block_columns == 1;
  const int is_runs = block_rows == 1 && block_columns >= 1 && columns % block_columns == 0;
  if (!is_whole && !is_columns && !is_runs)
    return fail(error, SOTTO_INVALID_ARGUMENT,
                "Cannot convert because a scale must be shared by all of %d × %d values, a column, or a run that divides a "
                "row: got %d × %d",
                rows, columns, block_rows, block_columns);
  *kind = is_whole ? BLOCK_MATRIX : is_columns ? BLOCK_COLUMNS : BLOCK_RUNS;
  *blocks = (size_t)(rows / block_rows) * (size_t)(columns / block_columns);
  return SOTTO_OK;
}

static int32_t check_arrays(const i8_job *job, size_t values_length, size_t codes_length, size_t scales_length,
                            size_t zeros_length, size_t blocks, error_sink error) {
  const size_t count = (size_t)job->rows * (size_t)job->columns;
  int32_t status = convert_check("values", job->values, values_length, count, error);
  if (status == SOTTO_OK) status = convert_check("codes", job->codes, codes_length, count, error);
  if (status == SOTTO_OK) status = convert_check("scales", job->scales, scales_length, blocks, error);
  if (status == SOTTO_OK && (zeros_length > 0 || job->scheme == SOTTO_I8_ASYMMETRIC))
    status = convert_check("zero points", job->zeros, zeros_length, blocks, error);
  return status;
}

/* Scales of the caller's: their reciprocals must be finite, and the codes' arithmetic within 32 bits. */
static int32_t check_scales(const i8_job *job, size_t blocks, error_sink error) {
  for (size_t i = 0; i < blocks; i++) {
    if (!(job->scales[i] >= I8_LEAST_SCALE && job->scales[i] < INFINITY))
      return fail(error, SOTTO_INVALID_ARGUMENT, "Cannot convert because scales must be in 2^-126 … 2^128: got %g",
                  (double)job->scales[i]);
    if (job->zeros != NULL && (job->zeros[i] < -128 || job->zeros[i] > 127))
      return fail(error, SOTTO_INVALID_ARGUMENT, "Cannot convert because zero points must be -128 to 127: got %d",
                  job->zeros[i]);
  }
  return SOTTO_OK;
}

/* ---- The entry points. */

static void quantize(const cpu_context *context, i8_job *job, block_kind kind) {
  const int64_t count = job->rows * job->columns;
  if (kind == BLOCK_RUNS) return convert_run(context, quantize_runs, job, count);
  if (kind == BLOCK_COLUMNS) {
    if (job->scheme != SOTTO_I8_GIVEN) {
      convert_run(context, range_rows, job, count);
      choose_columns(job, pool_threads(context->pool));
    }
    for (int64_t c = 0; c < job->columns; c++) job->reciprocals[c] = 1 / job->scales[c];
    return convert_run(context, quantize_rows, job, count);
  }
  if (job->scheme != SOTTO_I8_GIVEN) {
    convert_run(context, range_part, job, count);
    float low = 0, high = 0;
    for (int i = 0; i < pool_threads(context->pool); i++) {
      widen_range(job->low[i], &low, &high);
      widen_range(job->high[i], &low, &high);
    }
    choose(job, 0, low, high);
  }
  convert_run(context, quantize_values, job, count);
}

int32_t sotto_cpu_convert_f32_to_i8(uint64_t context, const float *values, size_t values_length, int32_t rows,
                                    int32_t columns, int32_t block_rows, int32_t block_columns, int32_t scheme,
                                    float *scales, size_t scales_length, int32_t *zero_points,
                                    size_t zero_points_length, int8_t *codes, size_t codes_length, char *text,
                                    size_t text_capacity) {
  const error_sink error = {text, text_capacity};
  if (scheme < SOTTO_I8_GIVEN || scheme > SOTTO_I8_ASYMMETRIC)
    return fail(error, SOTTO_INVALID_ARGUMENT, "Cannot convert because the scheme must be 0 to 2: got %d", scheme);
  block_kind kind = BLOCK_RUNS;
  size_t blocks = 0;
  i8_job job = {.values = (float *)values, .codes = codes, .rows = rows, .columns = columns,
                .block_columns = block_columns, .scheme = scheme, .scales = scales,
                .zeros = scheme == SOTTO_I8_SYMMETRIC || zero_points_length == 0 ? NULL : zero_points};
  int32_t status = check_blocks(rows, columns, block_rows, block_columns, &kind, &blocks, error);
  if (status == SOTTO_OK)
    status = check_arrays(&job, values_length, codes_length, scales_length,
                          scheme == SOTTO_I8_SYMMETRIC ? 0 : zero_points_length, blocks, error);
  if (status == SOTTO_OK && scheme == SOTTO_I8_GIVEN) status = check_scales(&job, blocks, error);
  if (status != SOTTO_OK) return status;
  cpu_context *held = convert_acquire(context, error);
  if (held == NULL) return SOTTO_INVALID_HANDLE;
  job.kernels = held->kernels;
  const size_t parts = (size_t)pool_threads(held->pool);
  const size_t width = kind == BLOCK_COLUMNS ? (size_t)columns : 1, ranges = parts * width;
  float *scratch = kind == BLOCK_RUNS ? NULL : calloc(2 * ranges + width, sizeof *scratch);
  if (kind != BLOCK_RUNS && scratch == NULL) {
    status = fail(error, SOTTO_OUT_OF_MEMORY, "Cannot convert because memory was refused");
  } else {
    if (scratch != NULL) {
      job.low = scratch;
      job.high = scratch + ranges;
      job.reciprocals = scratch + 2 * ranges;
    }
    quantize(held, &job, kind);
  }
  free(scratch);
  object_release(&held->object);
  return status;
}

int32_t sotto_cpu_convert_i8_to_f32(uint64_t context, const int8_t *codes, size_t codes_length, int32_t rows,
                                    int32_t columns, int32_t block_rows, int32_t block_columns, const float *scales,
                                    size_t scales_length, const int32_t *zero_points, size_t zero_points_length,
                                    float *values, size_t values_length, char *text, size_t text_capacity) {
  const error_sink error = {text, text_capacity};
  block_kind kind = BLOCK_RUNS;
  size_t blocks = 0;
  i8_job job = {.values = values, .codes = (int8_t *)codes, .rows = rows, .columns = columns,
                .block_columns = block_columns, .scheme = SOTTO_I8_GIVEN, .scales = (float *)scales,
                .zeros = zero_points_length == 0 ? NULL : (int32_t *)zero_points};
  int32_t status = check_blocks(rows, columns, block_rows, block_columns, &kind, &blocks, error);
  if (status == SOTTO_OK)
    status = check_arrays(&job, values_length, codes_length, scales_length, zero_points_length, blocks, error);
  if (status == SOTTO_OK) status = check_scales(&job, blocks, error);
  if (status != SOTTO_OK) return status;
  cpu_context *held = convert_acquire(context, error);
  if (held == NULL) return SOTTO_INVALID_HANDLE;
  job.kernels = held->kernels;
  const pool_job part = kind == BLOCK_RUNS      ? dequantize_runs
                        : kind == BLOCK_COLUMNS ? dequantize_rows
                                                : dequantize_values;
  convert_run(held, part, &job, job.rows * job.columns);
  object_release(&held->object);
  return SOTTO_OK;
}

/* sotto_cpu_convert_f32_to_bf16 and back: checks, and the values split over the threads. */
#include "convert.h"

/* Values a thread takes at a time: whole cache lines of either type. */
enum { GRAIN = 64 };

typedef struct {
  const kernel_table *kernels;
  float *values;
  uint16_t *codes;
  int64_t count;
} bf16_job;

static void narrow_part(void *argument, int part, int parts) {
  const bf16_job *job = argument;
  const share share = share_of(job->count, GRAIN, part, parts);
  job->kernels->narrow_bf16(job->values + share.begin, share.end - share.begin, job->codes + share.begin);
}

static void widen_part(void *argument, int part, int parts) {
  const bf16_job *job = argument;
  const share share = share_of(job->count, GRAIN, part, parts);
  job->kernels->widen_bf16(job->codes + share.begin, share.end - share.begin, job->values + share.begin);
}

static int32_t convert(uint64_t context, pool_job part, bf16_job job, error_sink error) {
  cpu_context *held = convert_acquire(context, error);
  if (held == NULL) return SOTTO_INVALID_HANDLE;
  job.kernels = held->kernels;
  if (job.count > 0) convert_run(held, part, &job, job.count);
  object_release(&held->object);
  return SOTTO_OK;
}

int32_t sotto_cpu_convert_f32_to_bf16(uint64_t context, const float *values, size_t values_length, uint16_t *codes,
                                      size_t codes_length, char *text, size_t text_capacity) {
  const error_sink error = {text, text_capacity};
  int32_t status = convert_check("values", values, values_length, values_length, error);
  if (status == SOTTO_OK) status = convert_check("codes", codes, codes_length, values_length, error);
  if (status != SOTTO_OK) return status;
  return convert(context, narrow_part, (bf16_job){NULL, (float *)values, codes, (int64_t)values_length}, error);
}

int32_t sotto_cpu_convert_bf16_to_f32(uint64_t context, const uint16_t *codes, size_t codes_length, float *values,
                                      size_t values_length, char *text, size_t text_capacity) {
  const error_sink error = {text, text_capacity};
  int32_t status = convert_check("codes", codes, codes_length, codes_length, error);
  if (status == SOTTO_OK) status = convert_check("values", values, values_length, codes_length, error);
  if (status != SOTTO_OK) return status;
  return convert(context, widen_part, (bf16_job){NULL, values, (uint16_t *)codes, (int64_t)codes_length}, error);
}

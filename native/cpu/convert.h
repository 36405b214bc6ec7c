/* What the conversions between number formats (convert_*.c) share. */
#ifndef SOTTO_CONVERT_H
#define SOTTO_CONVERT_H

#include "context.h"
#include "status.h"

/* Fewer values than this are converted by the caller's thread alone: it is done before the others have woken up. */
enum { CONVERT_SHARED_VALUES = 1 << 17 };

/* Runs a job on `values` values, on all threads if that is worth it. */
static inline void convert_run(const cpu_context *context, pool_job job, void *argument, int64_t values) {
  if (values < CONVERT_SHARED_VALUES)
    job(argument, 0, 1);
  else
    pool_run(context->pool, job, argument);
}

/* Checks that an array is there and has `length` elements. */
static inline int32_t convert_check(const char *name, const void *array, size_t length, size_t wanted,
                                    error_sink error) {
  if (array == NULL && wanted > 0)
    return fail(error, SOTTO_INVALID_ARGUMENT, "Cannot convert because %s must have %zu elements: got none", name,
                wanted);
  if (length != wanted)
    return fail(error, SOTTO_INVALID_ARGUMENT, "Cannot convert because %s must have %zu elements: got %zu", name,
                wanted, length);
  return SOTTO_OK;
}

/* The context, or NULL with the error set. */
static inline cpu_context *convert_acquire(uint64_t context, error_sink error) {
  cpu_context *held = (cpu_context *)handle_acquire(context, HANDLE_CONTEXT);
  if (held == NULL) fail(error, SOTTO_INVALID_HANDLE, "Cannot convert because the context is not open");
  return held;
}

#endif

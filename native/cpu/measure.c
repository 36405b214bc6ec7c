#if defined(__linux__)
#define _GNU_SOURCE /* clock_gettime under -std=c11 */
#endif
#include <string.h>
#include <time.h>

#include "context.h"
#include "memory.h"
#include "status.h"

enum { MAX_SECONDS = 60 };

/* Several times the largest last-level cache that two threads could have to themselves. */
#define READ_BYTES_PER_THREAD ((size_t)128 << 20)
#define ROUNDS_AT_A_TIME 200000

typedef struct {
  const kernel_table *kernels;
  peak_kernel *peak;
  double seconds;
  const float *values; /* read_bandwidth: threads × READ_BYTES_PER_THREAD */
  double rate[256];    /* of each thread: operations or bytes a second */
  float sink[256];     /* keeps the work from being left out */
} measurement;

static double now_seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void peak_part(void *context, int part, int parts) {
  (void)parts;
  measurement *m = context;
  double began = now_seconds(), elapsed, done = 0;
  do {
    done += m->peak(ROUNDS_AT_A_TIME, &m->sink[part]);
    elapsed = now_seconds() - began;
  } while (elapsed < m->seconds);
  m->rate[part] = done / elapsed;
}

static void read_part(void *context, int part, int parts) {
  (void)parts;
  measurement *m = context;
  const int64_t count = (int64_t)(READ_BYTES_PER_THREAD / sizeof(float));
  double began = now_seconds(), elapsed, done = 0;
  do {
    m->sink[part] += m->kernels->read(m->values + part * count, count);
    done += (double)READ_BYTES_PER_THREAD;
    elapsed = now_seconds() - began;
  } while (elapsed < m->seconds);
  m->rate[part] = done / elapsed;
}

/* Untouched pages are all one page of zeros, which stays in the cache. */
static void touch_part(void *context, int part, int parts) {
  (void)parts;
  const measurement *m = context;
  memset((char *)m->values + (size_t)part * READ_BYTES_PER_THREAD, 1, READ_BYTES_PER_THREAD);
}

static double sum_of_rates(const measurement *m, int threads) {
  double sum = 0;
  for (int i = 0; i < threads; i++) sum += m->rate[i];
  return sum;
}

static int is_named(const char *what, size_t length, const char *name) {
  return strlen(name) == length && memcmp(what, name, length) == 0;
}

/* Whether it is called "i8_peak" and so on. */
static int is_peak_of(int arithmetic, const char *what, size_t length) {
  static const char ending[] = "_peak";
  const char *name = arithmetic_name(arithmetic);
  const size_t name_length = name == NULL ? 0 : strlen(name);
  return name != NULL && length > name_length && memcmp(what, name, name_length) == 0 &&
         is_named(what + name_length, length - name_length, ending);
}

int32_t sotto_cpu_measure(uint64_t context, const char *what, size_t what_length, double seconds, double *result,
                          char *text, size_t text_capacity) {
  error_sink error = {text, text_capacity};
  if ((what == NULL && what_length > 0) || result == NULL)
    return fail(error, SOTTO_INVALID_ARGUMENT, "Cannot measure because a pointer is missing");
  if (!(seconds > 0 && seconds <= MAX_SECONDS))
    return fail(error, SOTTO_INVALID_ARGUMENT, "Cannot measure because seconds must be above 0 and at most %d: got %g",
                MAX_SECONDS, seconds);
  int arithmetic = SOTTO_ARITHMETIC_I8;
  while (arithmetic >= 0 && !is_peak_of(arithmetic, what, what_length)) arithmetic--;
  const int is_peak = arithmetic >= 0;
  if (!is_peak && !is_named(what, what_length, "read_bandwidth"))
    return fail(error, SOTTO_INVALID_ARGUMENT,
                "Cannot measure \"%.*s\": only read_bandwidth, f32_peak and that of other arithmetic",
                (int)(what_length < 40 ? what_length : 40), what);
  cpu_context *held = (cpu_context *)handle_acquire(context, HANDLE_CONTEXT);
  if (held == NULL) return fail(error, SOTTO_INVALID_HANDLE, "Cannot measure because the context is closed");
  const int threads = pool_threads(held->pool);
  measurement m = {.kernels = held->kernels, .seconds = seconds};
  if (is_peak) m.peak = arithmetic_peak(held->kernels, arithmetic);
  float *values = is_peak ? NULL : memory_allocate(READ_BYTES_PER_THREAD * (size_t)threads);
  int32_t status = SOTTO_OK;
  if (!is_peak && values == NULL) {
    status = fail(error, SOTTO_OUT_OF_MEMORY, "Cannot measure because memory for %d × 128 MiB was refused", threads);
  } else {
    m.values = values;
    if (!is_peak) pool_run(held->pool, touch_part, &m);
    pool_run(held->pool, is_peak ? peak_part : read_part, &m);
    *result = sum_of_rates(&m, threads);
  }
  memory_free(values);
  object_release(&held->object);
  return status;
}

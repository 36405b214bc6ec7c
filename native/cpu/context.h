/* A context: the threads and the kernels that everything created from it uses. */
#ifndef SOTTO_CONTEXT_H
#define SOTTO_CONTEXT_H

#include <stdatomic.h>

#include "arithmetic.h"
#include "handles.h"
#include "kernels.h"
#include "threads.h"

typedef struct {
  handle_object object;
  thread_pool *pool;
  const char *variant;
  kernel_table table;
  double rates[SOTTO_ARITHMETIC_I8 + 1]; /* by enum sotto_arithmetic: operations a second of one thread on registers */
  _Atomic(void *) scratch; /* of calls, between them: scratch.h */
  const kernel_table *kernels; /* = &table: the chosen variant's, complete: plainer kernels fill its gaps */
} cpu_context;

#endif

/* A pool of threads that runs one function on all of them at a time.
 *
 * The caller's thread is part 0, so a pool of one has no thread of its own. Idle threads sleep on a condition
 * variable (after a short spin bounded in time, so that back-to-back steps cost microseconds, and an idle process
 * costs nothing). Calls from several threads queue. */
#ifndef SOTTO_THREADS_H
#define SOTTO_THREADS_H

#include <stdint.h>

typedef struct thread_pool thread_pool;

/* One thread's share of a job: part of 0…parts-1. */
typedef void (*pool_job)(void *context, int part, int parts);

/* NULL where the system refuses memory or a thread. */
thread_pool *pool_create(int threads);
void pool_destroy(thread_pool *pool);
int pool_threads(const thread_pool *pool);

/* Runs job(context, part, parts) for every part and returns when all are done. */
void pool_run(thread_pool *pool, pool_job job, void *context);

/* The half-open range of `count` items that is this part's, in multiples of `grain`. */
typedef struct {
  int64_t begin, end;
} share;
share share_of(int64_t count, int64_t grain, int part, int parts);

#endif

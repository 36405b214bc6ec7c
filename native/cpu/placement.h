/* Which processor a pool's worker runs on: not its caller's.
 *
 * A worker on the processor of its caller takes turns with it, at every barrier of a step. Linux puts it there when
 * no other processor is idle as the worker wakes (the thread that asked for the step is about to sleep, but has not
 * yet), and leaves it there, for a processor that is idle for less than half a millisecond fetches no waiting thread
 * from another. On two processors a quarter to a third of the decoder's steps ran so, in three times the time.
 *
 * So a caller forbids its own processor to a worker that may be on it, and the worker, as soon as it runs, allows
 * itself all it was allowed before: it has moved, and is not pinned. Two microseconds. Only on Linux; elsewhere
 * nothing is done. */
#ifndef SOTTO_PLACEMENT_H
#define SOTTO_PLACEMENT_H

#include <stdatomic.h>

#if defined(__linux__)
#include <sched.h>
#endif

enum { ANY_PROCESSOR = -1 };

typedef struct {
  atomic_int thread;    /* as the system numbers it; 0 before it runs */
  atomic_int processor; /* where it waits for work; ANY_PROCESSOR where it sleeps, and may wake on any */
  atomic_int is_moved;
#if defined(__linux__)
  cpu_set_t allowed; /* before it was moved */
#endif
} placement;

/* The worker says that it exists, that it waits, that it sleeps, and that it runs. */
void placement_begin(placement *worker);
void placement_wait(placement *worker);
void placement_sleep(placement *worker);
void placement_settle(placement *worker);

/* The caller has work for a worker that waits or sleeps. */
void placement_move_off_caller(placement *worker);

#endif

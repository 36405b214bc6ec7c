#if defined(__linux__)
#define _GNU_SOURCE /* sched_setaffinity, under -std=c11 */
#endif
#include "placement.h"

#if defined(__linux__)

#include <sys/syscall.h>
#include <unistd.h>

void placement_begin(placement *worker) {
  atomic_store_explicit(&worker->processor, ANY_PROCESSOR, memory_order_relaxed);
  atomic_store_explicit(&worker->thread, (int)syscall(SYS_gettid), memory_order_release); /* older than gettid() */
}

void placement_wait(placement *worker) {
  atomic_store_explicit(&worker->processor, sched_getcpu(), memory_order_relaxed);
}

void placement_sleep(placement *worker) {
  atomic_store_explicit(&worker->processor, ANY_PROCESSOR, memory_order_relaxed);
}

void placement_settle(placement *worker) {
  if (atomic_exchange_explicit(&worker->is_moved, 0, memory_order_acquire))
    sched_setaffinity(0, sizeof worker->allowed, &worker->allowed);
}

void placement_move_off_caller(placement *worker) {
  const int thread = atomic_load_explicit(&worker->thread, memory_order_acquire);
  const int processor = atomic_load_explicit(&worker->processor, memory_order_relaxed), here = sched_getcpu();
  if (thread == 0 || here < 0 || here >= CPU_SETSIZE) return;
  if (processor != ANY_PROCESSOR && processor != here) return;
  /* What fails here (more processors than a set holds, a sandbox) leaves the worker where Linux put it. */
  if (sched_getaffinity(thread, sizeof worker->allowed, &worker->allowed) != 0) return;
  cpu_set_t others = worker->allowed;
  CPU_CLR(here, &others);
  if (CPU_COUNT(&others) == 0 || CPU_EQUAL(&others, &worker->allowed)) return;
  if (sched_setaffinity(thread, sizeof others, &others) == 0)
    atomic_store_explicit(&worker->is_moved, 1, memory_order_release);
}

#else

void placement_begin(placement *worker) { (void)worker; }
void placement_wait(placement *worker) { (void)worker; }
void placement_sleep(placement *worker) { (void)worker; }
void placement_settle(placement *worker) { (void)worker; }
void placement_move_off_caller(placement *worker) { (void)worker; }

#endif

/* A barrier between the phases of one job of the pool, for phases of microseconds: it spins, and yields the processor
 * where a thread is late (another program runs on its core). */
#ifndef SOTTO_PHASE_BARRIER_H
#define SOTTO_PHASE_BARRIER_H

#include <sched.h>
#include <stdatomic.h>

typedef struct {
  int parts;
  atomic_int arrived;
  atomic_uint phase;
} phase_barrier;

/* Turns of spinning before yielding: some tens of microseconds. */
enum { BARRIER_SPINS = 2000 };

/* Returns when all parts have called it; what they wrote before is visible after. */
static inline void phase_end(phase_barrier *barrier) {
  if (barrier->parts == 1) return;
  const unsigned phase = atomic_load_explicit(&barrier->phase, memory_order_relaxed);
  if (atomic_fetch_add_explicit(&barrier->arrived, 1, memory_order_acq_rel) == barrier->parts - 1) {
    atomic_store_explicit(&barrier->arrived, 0, memory_order_relaxed);
    atomic_store_explicit(&barrier->phase, phase + 1, memory_order_release);
    return;
  }
  for (int turns = 0; atomic_load_explicit(&barrier->phase, memory_order_acquire) == phase; turns++) {
    if (turns >= BARRIER_SPINS) sched_yield();
#if defined(__x86_64__)
    else __builtin_ia32_pause();
#endif
  }
}

#endif

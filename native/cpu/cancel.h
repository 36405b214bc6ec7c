/* A caller's wish to stop a call: a number that may become other than 0 at any time, in memory that it shares. */
#ifndef SOTTO_CANCEL_H
#define SOTTO_CANCEL_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

_Static_assert(sizeof(atomic_int) == sizeof(int32_t), "flags are shared with the caller as plain 32-bit integers");

/* Seen once it stays seen, whatever becomes of the number: what was left out after that is missing in the result. */
typedef struct {
  const atomic_int *flag; /* or NULL */
  atomic_int is_seen;
} cancel_watch;

/* Whether to leave out the next piece of work; from any thread. */
static inline int is_cancelled(cancel_watch *watch) {
  if (watch->flag == NULL) return 0;
  if (atomic_load_explicit(watch->flag, memory_order_relaxed) != 0)
    atomic_store_explicit(&watch->is_seen, 1, memory_order_relaxed);
  return atomic_load_explicit(&watch->is_seen, memory_order_relaxed);
}

/* Whether work was left out; after its threads have ended. */
static inline int was_cancelled(const cancel_watch *watch) {
  return atomic_load_explicit(&watch->is_seen, memory_order_relaxed);
}

#endif

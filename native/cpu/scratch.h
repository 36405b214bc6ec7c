/* Large memory of a call, kept by its context for the next one.
 *
 * Calls come on whatever thread the host has free, and malloc keeps what each thread has freed apart: memory that every
 * window takes and gives back would be held some sixteen times. A context keeps one block, the last given back. */
#ifndef SOTTO_SCRATCH_H
#define SOTTO_SCRATCH_H

#include "context.h"

/* `bytes` of uninitialized memory, aligned to SOTTO_ALIGNMENT; NULL where memory is refused. */
void *scratch_take(cpu_context *context, size_t bytes);
void scratch_give(cpu_context *context, void *memory);

/* Frees what is kept. */
void scratch_discard(cpu_context *context);

#endif

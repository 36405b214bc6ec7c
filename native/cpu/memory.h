/* Memory for arrays that kernels read: aligned, and in large pages where the system offers them. */
#ifndef SOTTO_MEMORY_H
#define SOTTO_MEMORY_H

#include <stddef.h>

/* A cache line, and the width of the widest vector. */
#define SOTTO_ALIGNMENT 64

/* `bytes` (0 counts as 1) of uninitialized memory, aligned to SOTTO_ALIGNMENT; NULL where memory is refused. */
void *memory_allocate(size_t bytes);
void memory_free(void *memory);

/* The smallest multiple of `step` that is at least `count`; step > 0. */
static inline size_t round_up(size_t count, size_t step) { return (count + step - 1) / step * step; }

#endif

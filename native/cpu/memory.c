#if defined(__linux__)
#define _GNU_SOURCE /* madvise */
#endif
#include "memory.h"

#include <stdint.h>
#include <stdlib.h>

#if defined(__linux__)
#include <sys/mman.h>
#endif

/* Packed weights are tens of megabytes read in order: 4 KiB pages would cost a TLB miss every 64 lines. */
#define LARGE_PAGE ((size_t)2 << 20)

void *memory_allocate(size_t bytes) {
  if (bytes == 0) bytes = 1;
  if (bytes > SIZE_MAX - LARGE_PAGE) return NULL;
  size_t alignment = bytes >= LARGE_PAGE ? LARGE_PAGE : SOTTO_ALIGNMENT;
  void *memory = aligned_alloc(alignment, round_up(bytes, alignment));
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  if (memory != NULL && bytes >= LARGE_PAGE) madvise(memory, round_up(bytes, alignment), MADV_HUGEPAGE);
#endif
  return memory;
}

void memory_free(void *memory) { free(memory); }

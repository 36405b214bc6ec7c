#include "scratch.h"

#include "memory.h"

/* Before the memory that is handed out, and as long as keeps that aligned. */
typedef struct {
  _Alignas(SOTTO_ALIGNMENT) size_t bytes;
} scratch_block;

void *scratch_take(cpu_context *context, size_t bytes) {
  scratch_block *block = atomic_exchange(&context->scratch, NULL);
  if (block != NULL && block->bytes >= bytes) return block + 1;
  memory_free(block);
  if (bytes > SIZE_MAX - sizeof *block) return NULL;
  block = memory_allocate(sizeof *block + bytes);
  if (block == NULL) return NULL;
  block->bytes = bytes;
  return block + 1;
}

void scratch_give(cpu_context *context, void *memory) {
  memory_free(atomic_exchange(&context->scratch, (scratch_block *)memory - 1));
}

void scratch_discard(cpu_context *context) { memory_free(atomic_exchange(&context->scratch, NULL)); }

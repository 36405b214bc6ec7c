/* The model of the NPU: one function carries out one command. */
#ifndef SOTTO_NPU_MODEL_H
#define SOTTO_NPU_MODEL_H

#include "../cpu/threads.h"
#include "clock.h"
#include "overlay.h"

/* A kernel argument behind the instructions: memory of the host that the NPU sees at `address`. */
typedef struct {
  uint8_t *bytes; /* NULL: never given */
  uint64_t size, address;
} npu_argument;

enum { NPU_MAX_ARGUMENTS = 16 };

/* How a command ended: the states that the driver writes. */
typedef enum { NPU_COMPLETED = 4, NPU_ERROR = 5, NPU_HUNG = 8 } npu_outcome;

typedef struct {
  uint64_t nanoseconds; /* modelled, without what the device adds for a change of context */
  uint64_t bytes_in, bytes_out, operations, instructions, dma_tasks;
} npu_events;

/* Carries out an instruction stream on the overlay's tiles. The text says why a command did not complete. */
npu_outcome npu_model_run(const npu_overlay *overlay, const npu_clock *clock, const uint32_t *words, size_t word_count,
                          const npu_argument *arguments, int argument_count, thread_pool *pool, npu_events *events,
                          error_sink error);

#endif

/* The DMA of the shim tiles: buffer descriptors, the queues of four channels a column, and the words that pass. */
#ifndef SOTTO_NPU_SHIM_H
#define SOTTO_NPU_SHIM_H

#include "model.h"

enum {
  SHIM_BDS = 16,
  SHIM_BD_WORDS = 8,
  SHIM_QUEUE = 4, /* tasks that wait beside the one in progress */
  SHIM_CHANNELS = 4
};

/* Channels: S2MM (array to memory) 0 and 1, then MM2S (memory to array) 0 and 1. */
enum { S2MM_0 = 0, MM2S_0 = 2, MM2S_1 = 3 };

/* A pushed buffer descriptor: words at base + 4·(i0·step[0] + i1·step[1] + i2·step[2] + iteration·iteration_step). */
typedef struct {
  int bd, has_token;
  uint8_t *base;
  uint64_t length, times;    /* words of one execution; executions */
  uint64_t wrap[2], step[3]; /* wrap 0: the dimension does not end */
  uint64_t iteration, iterations, iteration_step;
  uint64_t done; /* words of all executions */
} dma_task;

typedef struct {
  dma_task tasks[SHIM_QUEUE + 1];
  int count;
  uint64_t tokens;
  uint64_t moved; /* words since the clock last looked */
} dma_channel;

typedef struct {
  uint32_t bds[SHIM_BDS][SHIM_BD_WORDS];
  dma_channel channels[SHIM_CHANNELS];
} shim_tile;

/* Pushes to a queue. NULL, or why not. */
const char *shim_push(shim_tile *shim, int channel, uint32_t value, const npu_argument *arguments, int argument_count);

/* Whether a task that may still be under way uses the descriptor. */
int shim_uses(const shim_tile *shim, int bd);

/* Words that the queued tasks have left to move. */
uint64_t channel_words(const dma_channel *channel);

/* Moves `words` (at most channel_words) from memory to `stream`, or the other way. Tasks that end leave the queue. */
void channel_read(dma_channel *channel, uint8_t *stream, uint64_t words);
void channel_write(dma_channel *channel, const uint8_t *stream, uint64_t words);

#endif

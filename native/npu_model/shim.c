#include "shim.h"

#include <string.h>

static uint64_t field(uint32_t word, int low, int bits) { return word >> low & ((1u << bits) - 1); }

enum { BD_VALID = 1 << 25 };

/* The last word an execution touches, counted from its first. */
static uint64_t last_word(const dma_task *task) {
  uint64_t left = task->length, last = 0, inside = 1;
  for (int i = 0; i < 3; i++) {
    const uint64_t all = (left + inside - 1) / inside; /* positions of this dimension and those above */
    const uint64_t count = i < 2 && task->wrap[i] != 0 && all > task->wrap[i] ? task->wrap[i] : all;
    last += (count - 1) * task->step[i];
    if (count == all) break;
    inside *= count;
  }
  return last;
}

/* Finds the argument that holds all the task touches. */
static const char *place(dma_task *task, uint64_t address, const npu_argument *arguments, int argument_count) {
  uint64_t furthest = 0;
  for (uint64_t i = 0; i < task->times && i < task->iterations; i++) {
    const uint64_t at = (task->iteration + i) % task->iterations * task->iteration_step;
    if (at > furthest) furthest = at;
  }
  const uint64_t bytes = 4 * (furthest + last_word(task) + 1);
  for (int i = 0; i < argument_count; i++) {
    const npu_argument *argument = &arguments[i];
    if (argument->bytes == NULL || address < argument->address || address - argument->address >= argument->size)
      continue;
    if (bytes > argument->size - (address - argument->address)) return "it leaves the buffer that it begins in";
    task->base = argument->bytes + (address - argument->address);
    return NULL;
  }
  return "it begins outside every buffer of the run";
}

const char *shim_push(shim_tile *shim, int channel, uint32_t value, const npu_argument *arguments, int argument_count) {
  dma_channel *queue = &shim->channels[channel];
  if ((value & ~0x80ff000fu) != 0) return "the queue's word has unknown bits";
  if (queue->count > SHIM_QUEUE) return "the queue is full: wait for an output first";
  dma_task *task = &queue->tasks[queue->count];
  *task = (dma_task){.bd = (int)field(value, 0, 4), .times = field(value, 16, 8) + 1, .has_token = value >> 31 != 0};
  uint32_t *bd = shim->bds[task->bd];
  if (bd[7] != BD_VALID) return "its descriptor is not valid, or uses locks or a next descriptor";
  if ((bd[2] & ~0xffffu) != 0) return "its descriptor asks for packets";
  task->length = bd[0];
  if (task->length == 0) return "its descriptor has no length";
  task->wrap[0] = field(bd[3], 20, 10);
  task->wrap[1] = field(bd[4], 20, 10);
  task->step[0] = field(bd[3], 0, 20) + 1;
  task->step[1] = field(bd[4], 0, 20) + 1;
  task->step[2] = field(bd[5], 0, 20) + 1;
  task->iteration_step = field(bd[6], 0, 20) + 1;
  task->iterations = field(bd[6], 20, 6) + 1;
  task->iteration = field(bd[6], 26, 6) % task->iterations;
  const char *why = place(task, (bd[1] & ~3u) | (uint64_t)bd[2] << 32, arguments, argument_count);
  if (why != NULL) return why;
  const uint64_t next = (task->iteration + task->times) % task->iterations;
  bd[6] = (bd[6] & 0x3ffffff) | (uint32_t)next << 26;
  queue->count++;
  return NULL;
}

int shim_uses(const shim_tile *shim, int bd) {
  for (int c = 0; c < SHIM_CHANNELS; c++)
    for (int i = 0; i < shim->channels[c].count; i++)
      if (shim->channels[c].tasks[i].bd == bd) return 1;
  return 0;
}

uint64_t channel_words(const dma_channel *channel) {
  uint64_t words = 0;
  for (int i = 0; i < channel->count; i++)
    words += channel->tasks[i].length * channel->tasks[i].times - channel->tasks[i].done;
  return words;
}

/* Where the task's next word lies, and how many words follow it without a gap. */
static uint8_t *next_run(const dma_task *task, uint64_t *run) {
  const uint64_t execution = task->done / task->length, word = task->done % task->length;
  uint64_t index[3] = {word, 0, 0};
  for (int i = 0; i < 2 && task->wrap[i] != 0; i++) {
    index[i + 1] = index[i] / task->wrap[i];
    index[i] %= task->wrap[i];
  }
  *run = task->length - word;
  if (task->step[0] != 1) *run = 1;
  else if (task->wrap[0] != 0 && task->wrap[0] - index[0] < *run) *run = task->wrap[0] - index[0];
  uint64_t at = (task->iteration + execution) % task->iterations * task->iteration_step;
  for (int i = 0; i < 3; i++) at += index[i] * task->step[i];
  return task->base + 4 * at;
}

static void move(dma_channel *channel, uint8_t *to_stream, const uint8_t *from_stream, uint64_t words) {
  channel->moved += words;
  while (words > 0) {
    dma_task *task = &channel->tasks[0];
    uint64_t run;
    uint8_t *memory = next_run(task, &run);
    if (run > words) run = words;
    if (to_stream != NULL) {
      memcpy(to_stream, memory, 4 * run);
      to_stream += 4 * run;
    } else {
      memcpy(memory, from_stream, 4 * run);
      from_stream += 4 * run;
    }
    words -= run;
    task->done += run;
    if (task->done < task->length * task->times) continue;
    channel->tokens += (uint64_t)task->has_token;
    channel->count--;
    memmove(channel->tasks, channel->tasks + 1, (size_t)channel->count * sizeof *channel->tasks);
  }
}

void channel_read(dma_channel *channel, uint8_t *stream, uint64_t words) { move(channel, stream, NULL, words); }

void channel_write(dma_channel *channel, const uint8_t *stream, uint64_t words) { move(channel, NULL, stream, words); }

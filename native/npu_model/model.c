/* One command: the stream's writes set up the shim tiles' DMA, its waits let the array work.
 *
 * The array is a network of processes joined by queues, so when each part works does not change what it computes. The
 * model computes a round only when a wait needs one. So a task is over exactly if a wait that has happened followed
 * from it, and a stream that reuses something earlier than that is found out. */
#include "model.h"

#include <stdlib.h>
#include <string.h>

#include "../cpu/memory.h"
#include "shim.h"
#include "stream.h"
#include "tiles.h"

enum { FIRST_COMPUTE_ROW = 2, BD_BASE = 0x1d000, BD_BYTES = 32, QUEUE_BASE = 0x1d200, PENDING_ROUNDS = 2 };

typedef struct {
  const npu_overlay *overlay;
  const npu_clock *clock;
  const npu_argument *arguments;
  int argument_count;
  thread_pool *pool;
  npu_events *events;
  error_sink error;
  shim_tile shims[NPU_MAX_COLUMNS];
  uint32_t runtime[NPU_MAX_COLUMNS][NPU_MAX_ROWS][NPU_RUNTIME_WORDS];
  uint8_t *pending[NPU_MAX_COLUMNS]; /* what a column gave and no task took yet */
  uint64_t pending_words[NPU_MAX_COLUMNS], pending_capacity;
  uint8_t *streams; /* a round's words of every port */
  uint64_t streams_capacity;
  double nanoseconds, compute; /* modelled; `compute` since the last wait */
} engine;

static npu_outcome refuse(const engine *run, size_t operation, const char *why) {
  fail(run->error, 1, "The instruction stream is refused at operation %zu: %s", operation, why);
  return NPU_ERROR;
}

/* ---- registers ---- */

static int is_idle(const engine *run) {
  for (int column = 0; column < NPU_MAX_COLUMNS; column++)
    for (int channel = 0; channel < SHIM_CHANNELS; channel++)
      if (run->shims[column].channels[channel].count > 0) return 0;
  return 1;
}

/* Whether anything in the array takes from, or gives to, a channel. */
static int is_connected(const engine *run, int column, int channel) {
  const npu_overlay *overlay = run->overlay;
  int step, rows_each, has_more = 0, has_all_inputs = 0;
  if (column >= overlay->columns) return 0;
  for (int i = 0; i < overlay->program_count; i++) {
    const npu_operation operation = overlay->programs[i].operation;
    has_more |= operation == PROGRAM_MATMUL || operation == PROGRAM_ATTENTION;
    has_all_inputs |= operation != PROGRAM_MATMUL;
  }
  feeding_columns(overlay, &step, &rows_each);
  if (channel == S2MM_0) return 1;
  if (channel == MM2S_0) return has_all_inputs || column % step == 0;
  return channel == MM2S_1 && has_more;
}

static const char *write_shim(engine *run, int column, uint32_t at, uint32_t value, uint32_t mask) {
  shim_tile *shim = &run->shims[column];
  if (at >= BD_BASE && at < BD_BASE + SHIM_BDS * BD_BYTES) {
    const int bd = (int)((at - BD_BASE) / BD_BYTES);
    if (shim_uses(shim, bd)) return "a buffer descriptor changes while a task that uses it may still be under way";
    uint32_t *word = &shim->bds[bd][(at - BD_BASE) % BD_BYTES / 4];
    *word = (*word & ~mask) | (value & mask);
    return NULL;
  }
  if (at < QUEUE_BASE || at >= QUEUE_BASE + 8 * SHIM_CHANNELS || at % 8 == 0) return NULL;
  const int channel = (int)((at - QUEUE_BASE) / 8);
  if (mask != ~0u) return "a queue is written in part";
  if (!is_connected(run, column, channel)) return "a task is pushed to a channel that the overlay does not use";
  run->events->dma_tasks++;
  return shim_push(shim, channel, value, run->arguments, run->argument_count);
}

static const char *write_register(engine *run, uint32_t address, uint32_t value, uint32_t mask) {
  const int column = (int)(address >> 25), row = (int)(address >> 20 & 31);
  const uint32_t at = address & 0xfffff;
  if (column >= NPU_MAX_COLUMNS || row >= FIRST_COMPUTE_ROW + NPU_MAX_ROWS || at % 4 != 0)
    return "an address is outside the array";
  if (row == 0) return write_shim(run, column, at, value, mask);
  const int64_t word = run->overlay->runtime < 0 ? -1 : (int64_t)at - run->overlay->runtime;
  if (row < FIRST_COMPUTE_ROW || word < 0 || word >= 4 * NPU_RUNTIME_WORDS) return NULL;
  if (!is_idle(run)) return "runtime words change while a task may still be under way";
  uint32_t *to = &run->runtime[column][row - FIRST_COMPUTE_ROW][word / 4];
  *to = (*to & ~mask) | (value & mask);
  return NULL;
}

static const char *patch(engine *run, uint32_t address, uint32_t argument, uint32_t offset) {
  if (argument >= (uint32_t)run->argument_count || run->arguments[argument].bytes == NULL)
    return "a patch names an argument that was not given";
  const uint32_t at = address & 0xfffff;
  if ((address >> 20 & 31) != 0 || at < BD_BASE || at >= BD_BASE + SHIM_BDS * BD_BYTES || at % BD_BYTES != 4)
    return "a patch is not of a buffer descriptor's address";
  const uint64_t value = run->arguments[argument].address + offset;
  const char *why = write_register(run, address, (uint32_t)value, ~0u);
  return why != NULL ? why : write_register(run, address + 4, (uint32_t)(value >> 32), 0xffff);
}

/* ---- rounds ---- */

/* The runtime words, the same in every tile in use; NULL if they differ. */
static const uint32_t *common_runtime(const engine *run) {
  for (int column = 0; column < run->overlay->columns; column++)
    for (int row = 0; row < run->overlay->rows; row++)
      if (memcmp(run->runtime[column][row], run->runtime[0][0], sizeof run->runtime[0][0]) != 0) return NULL;
  return run->runtime[0][0];
}

static void drain(engine *run, int column) {
  dma_channel *out = &run->shims[column].channels[S2MM_0];
  uint64_t words = channel_words(out);
  if (words > run->pending_words[column]) words = run->pending_words[column];
  if (words == 0) return;
  channel_write(out, run->pending[column], words);
  run->events->bytes_out += 4 * words;
  run->pending_words[column] -= words;
  memmove(run->pending[column], run->pending[column] + 4 * words, 4 * run->pending_words[column]);
}

static int grow(engine *run, const round_bytes *sizes) {
  const uint64_t columns = (uint64_t)run->overlay->columns, pending = PENDING_ROUNDS * (uint64_t)sizes->out;
  if (pending > run->pending_capacity)
    for (uint64_t column = 0; column < columns; column++) {
      uint8_t *larger = realloc(run->pending[column], pending);
      if (larger == NULL) return 0;
      run->pending[column] = larger;
    }
  if (pending > run->pending_capacity) run->pending_capacity = pending;
  const uint64_t needed = columns * (uint64_t)(sizes->in + sizes->more);
  if (needed <= run->streams_capacity) return 1;
  memory_free(run->streams);
  run->streams = memory_allocate(needed);
  run->streams_capacity = run->streams == NULL ? 0 : needed;
  return run->streams != NULL;
}

typedef enum { ROUND_DONE, ROUND_STARVED, ROUND_REFUSED } round_result;

/* One round of the whole array, if every port has what it takes. */
static round_result advance(engine *run, const char **why) {
  const npu_overlay *overlay = run->overlay;
  const uint32_t *runtime = common_runtime(run);
  *why = "the tiles' runtime words differ";
  if (runtime == NULL) return ROUND_REFUSED;
  *why = "runtime word 0 names no program";
  if (runtime[0] >= (uint32_t)overlay->program_count) return ROUND_REFUSED;
  const npu_program *program = &overlay->programs[runtime[0]];
  round_bytes sizes;
  *why = round_sizes(overlay, program, runtime, &sizes);
  if (*why != NULL) return ROUND_REFUSED;
  for (int column = 0; column < overlay->columns; column++) {
    const dma_channel *channels = run->shims[column].channels;
    if (column % sizes.step == 0 && 4 * channel_words(&channels[MM2S_0]) < (uint64_t)sizes.in) return ROUND_STARVED;
    if (4 * channel_words(&channels[MM2S_1]) < (uint64_t)sizes.more) return ROUND_STARVED;
    const uint64_t waiting = 4 * (run->pending_words[column]) + (uint64_t)sizes.out,
                   room = 4 * channel_words(&channels[S2MM_0]);
    if (waiting > room + (PENDING_ROUNDS - 1) * (uint64_t)sizes.out) return ROUND_STARVED;
  }
  *why = "there is no memory for a round of the array";
  if (!grow(run, &sizes)) return ROUND_REFUSED;
  const uint8_t *in[NPU_MAX_COLUMNS] = {NULL}, *more[NPU_MAX_COLUMNS] = {NULL};
  uint8_t *out[NPU_MAX_COLUMNS] = {NULL}, *next = run->streams;
  for (int column = 0; column < overlay->columns; column++) {
    dma_channel *channels = run->shims[column].channels;
    if (column % sizes.step == 0) {
      channel_read(&channels[MM2S_0], next, (uint64_t)sizes.in / 4);
      run->events->bytes_in += (uint64_t)sizes.in;
      in[column] = next;
      next += sizes.in;
    }
    if (sizes.more > 0) {
      channel_read(&channels[MM2S_1], next, (uint64_t)sizes.more / 4);
      run->events->bytes_in += (uint64_t)sizes.more;
      more[column] = next;
      next += sizes.more;
    }
    out[column] = run->pending[column] + 4 * run->pending_words[column];
  }
  if (!round_compute(overlay, program, runtime, in, more, out, run->pool)) return ROUND_REFUSED;
  const uint64_t operations = round_tile_operations(program, runtime);
  run->events->operations += operations * (uint64_t)(overlay->columns * overlay->rows);
  run->compute += (double)operations / run->clock->rate[clock_type_of(program)] + run->clock->round;
  for (int column = 0; column < overlay->columns; column++) {
    run->pending_words[column] += (uint64_t)sizes.out / 4;
    drain(run, column);
  }
  return ROUND_DONE;
}

/* ---- waits ---- */

/* What happened since the last wait took as long as the slowest of arithmetic, one channel, and all channels together. */
static void pass_time(engine *run) {
  double slowest = run->compute;
  uint64_t all = 0;
  for (int column = 0; column < run->overlay->columns; column++)
    for (int channel = 0; channel < SHIM_CHANNELS; channel++) {
      uint64_t *moved = &run->shims[column].channels[channel].moved;
      const double time = 4 * (double)*moved / run->clock->channel;
      if (time > slowest) slowest = time;
      all += 4 * *moved;
      *moved = 0;
    }
  if ((double)all / run->clock->memory > slowest) slowest = (double)all / run->clock->memory;
  run->nanoseconds += slowest;
  run->compute = 0;
}

static npu_outcome wait_for(engine *run, const stream_item *item, size_t index) {
  if (item->row != 0 || item->rows != 1 || item->channel > 1 || item->columns < 1 ||
      item->column + item->columns > run->overlay->columns)
    return refuse(run, index, "a wait is not for a channel of the overlay's shim tiles");
  for (int column = item->column; column < item->column + item->columns; column++) {
    dma_channel *channel =
        &run->shims[column].channels[item->is_input ? MM2S_0 + item->channel : S2MM_0 + item->channel];
    if (item->channel == 0 && !item->is_input) drain(run, column);
    while (channel->tokens == 0) {
      const char *why;
      const round_result result = advance(run, &why);
      if (result == ROUND_REFUSED) return refuse(run, index, why);
      if (result == ROUND_DONE) continue;
      fail(run->error, 1, "The command hangs at operation %zu: no token can come from column %d", index, column);
      return NPU_HUNG;
    }
    channel->tokens--;
  }
  pass_time(run);
  return NPU_COMPLETED;
}

static npu_outcome finish(engine *run, size_t index) {
  for (int column = 0; column < run->overlay->columns; column++) {
    drain(run, column);
    if (run->pending_words[column] > 0) return refuse(run, index, "the array gave more than the output tasks take");
  }
  return is_idle(run)
             ? NPU_COMPLETED
             : refuse(run, index, "the stream ends while a task is under way, or with words that nothing takes");
}

static npu_outcome carry_out(engine *run, stream_reader *reader) {
  stream_item item;
  const char *why;
  size_t index = 0;
  for (;; index++) {
    const int more = stream_next(reader, &item, &why);
    if (more < 0) return refuse(run, index, why);
    if (more == 0) return finish(run, index);
    run->events->instructions++;
    why = NULL;
    switch (item.operation) {
    case OP_WRITE: why = write_register(run, item.address, item.value, ~0u); break;
    case OP_MASK_WRITE: why = write_register(run, item.address, item.value, item.mask); break;
    case OP_BLOCK_WRITE:
      for (uint32_t i = 0; i < item.data_words && why == NULL; i++)
        why = write_register(run, item.address + 4 * i, item.data[i], ~0u);
      break;
    case OP_PATCH: why = patch(run, item.address, item.argument, item.offset); break;
    case OP_SYNC: {
      const npu_outcome outcome = wait_for(run, &item, index);
      if (outcome != NPU_COMPLETED) return outcome;
    }
    }
    if (why != NULL) return refuse(run, index, why);
  }
}

npu_outcome npu_model_run(const npu_overlay *overlay, const npu_clock *clock, const uint32_t *words, size_t word_count,
                          const npu_argument *arguments, int argument_count, thread_pool *pool, npu_events *events,
                          error_sink error) {
  *events = (npu_events){0};
  if (overlay->generation == 0) {
    fail(error, 1,
         "The model does not know this overlay's tile programs: its PDI is neither described nor in known_overlays.c");
    return NPU_ERROR;
  }
  engine *run = calloc(1, sizeof *run);
  if (run == NULL) {
    fail(error, 1, "The model has no memory for a command");
    return NPU_ERROR;
  }
  *run = (engine){.overlay = overlay,
                  .clock = clock,
                  .arguments = arguments,
                  .argument_count = argument_count,
                  .pool = pool,
                  .events = events,
                  .error = error};
  stream_reader reader;
  const char *why = stream_open(&reader, words, word_count);
  if (why == NULL && reader.generation != overlay->generation)
    why = "it is for another generation of NPU than the overlay";
  const npu_outcome outcome = why != NULL ? refuse(run, 0, why) : carry_out(run, &reader);
  run->nanoseconds += (double)events->instructions * clock->instruction;
  events->nanoseconds = (uint64_t)run->nanoseconds;
  for (int column = 0; column < NPU_MAX_COLUMNS; column++) free(run->pending[column]);
  memory_free(run->streams);
  free(run);
  return outcome;
}

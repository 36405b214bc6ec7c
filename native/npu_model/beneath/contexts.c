#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "driver.h"

enum {
  CONTEXTS = 64,
  UNITS = 8,
  CHAIN = 64,
  MOST_ARGUMENT_HANDLES = 1024,
  TILES_A_COLUMN = 4,
  SYNC_BASE = 1000,
  ARGUMENT_WORDS = 5,
  OPCODE_RUN = 3
};

/* A submitted packet, or a chain of them. */
typedef struct submission {
  npu_job job;
  uint64_t sequence;
  int waiters;
  uint32_t *packets[CHAIN];
  uint32_t *chain; /* NULL where the packet is alone */
  npu_command commands[CHAIN];
  struct submission *next;
} submission;

typedef struct {
  int is_used;
  int unit_count;
  npu_overlay units[UNITS];
  uint64_t submitted;
  submission *first;
} driver_context;

static driver_context contexts[CONTEXTS]; /* 0 names none */

static driver_context *named(uint32_t handle) {
  return handle > 0 && handle < CONTEXTS && contexts[handle].is_used ? &contexts[handle] : NULL;
}

int context_create(create_context_request *request) {
  if ((int)request->tiles > driver_settings.kind->columns * TILES_A_COLUMN) return EINVAL;
  const int refusal = npu_device_take_context(driver_device);
  if (refusal != 0) return refusal;
  uint32_t handle = 1;
  while (handle < CONTEXTS && contexts[handle].is_used) handle++;
  if (handle == CONTEXTS) {
    npu_device_return_context(driver_device);
    return ENOSPC;
  }
  contexts[handle] = (driver_context){.is_used = 1};
  request->handle = handle;
  request->sync_object = SYNC_BASE + handle;
  request->doorbell = ~0u;
  return 0;
}

/* Frees submissions that are over and not waited for. */
static void prune(driver_context *context) {
  for (submission **at = &context->first; *at != NULL;) {
    submission *one = *at;
    if (one->waiters > 0 || !npu_device_is_over(driver_device, &one->job)) {
      at = &one->next;
      continue;
    }
    *at = one->next;
    free(one);
  }
}

int context_destroy(uint32_t handle) {
  driver_context *context = named(handle);
  if (context == NULL) return EINVAL;
  for (submission *one = context->first; one != NULL; one = one->next) npu_device_wait(driver_device, &one->job, 0);
  prune(context);
  context->is_used = 0;
  npu_device_return_context(driver_device);
  return 0;
}

int context_configure(const configure_context_request *request) {
  driver_context *context = named(request->handle);
  if (context == NULL) return EINVAL;
  if (request->parameter != CONFIGURE_UNITS) return 0;
  const unit_configuration *configuration = (const unit_configuration *)(uintptr_t)request->value;
  if (configuration->count < 1 || configuration->count > UNITS) return EINVAL;
  for (int i = 0; i < configuration->count; i++) {
    const driver_buffer *pdi = buffer_named(configuration->units[i].buffer);
    if (pdi == NULL || pdi->type != BUFFER_DEVICE) return EINVAL;
    char text[256] = "";
    npu_overlay *overlay = &context->units[i];
    const int32_t status = npu_overlay_read(overlay, pdi->bytes, pdi->wanted, (error_sink){text, sizeof text});
    if (driver_logs && status != SOTTO_OK) fprintf(stderr, "sotto_npu: %s\n", text);
    if (status != SOTTO_OK || (overlay->generation != 0 && overlay->generation != driver_settings.kind->generation))
      return EINVAL;
  }
  context->unit_count = configuration->count;
  return 0;
}

/* Tells the packets how their commands ended; called on the device's thread. */
static void ended(npu_job *job) {
  submission *one = job->owner;
  for (int i = 0; i < job->count; i++) {
    const npu_command *command = &job->commands[i];
    volatile uint32_t *packet = one->packets[i];
    *packet = (*packet & ~(uint32_t)PACKET_STATE_MASK) | (uint32_t)command->state;
    if (driver_logs && command->state != COMMAND_COMPLETED)
      fprintf(stderr, "sotto_npu: command ended in state %d. %s\n", command->state, command->text);
  }
  if (one->chain == NULL) return;
  volatile uint32_t *chain = one->chain;
  const int failed = job->failed;
  chain[2] = (uint32_t)(failed < 0 ? job->count : failed);
  chain[3] = (uint32_t)(failed < 0 ? 0 : failed);
  *chain = (*chain & ~(uint32_t)PACKET_STATE_MASK) |
           (uint32_t)(failed < 0 ? COMMAND_COMPLETED : job->commands[failed].state);
}

static uint64_t pair(const uint32_t *words) { return words[0] | (uint64_t)words[1] << 32; }

/* What a packet asks for: its unit's overlay, instructions, and the buffers behind its addresses. */
static void read_packet(const driver_context *context, const uint32_t *packet, const uint32_t *handles,
                        uint32_t handle_count, npu_command *command) {
  const uint32_t header = packet[0], words = header >> 12 & 0x7ff, masks = 1 + (header >> 10 & 3);
  *command = (npu_command){.state = COMMAND_NEW};
  command->fault = "The command packet is not one that starts a kernel";
  if ((header >> 23 & 31) != PACKET_START || words < masks + ARGUMENT_WORDS) return;
  int unit = 0;
  while (unit < context->unit_count && !(packet[1] >> unit & 1)) unit++;
  command->fault = "The command packet names no configured compute unit";
  if (unit == context->unit_count) return;
  const uint32_t *arguments = packet + 1 + masks;
  const uint64_t count = arguments[4], instructions = pair(arguments + 2);
  const driver_buffer *code = heap_at(instructions, 4 * count);
  command->fault = pair(arguments) != OPCODE_RUN ? "The opcode is not 3, which runs an instruction stream"
                   : code == NULL || count == 0  ? "The instructions are not in the NPU's heap"
                                                 : NULL;
  if (command->fault != NULL) return;
  command->overlay = &context->units[unit];
  command->words = (const uint32_t *)(code->bytes + (instructions - code->address));
  command->word_count = count;
  for (uint32_t at = ARGUMENT_WORDS; at + 1 < words - masks && command->argument_count < NPU_MAX_ARGUMENTS; at += 2) {
    npu_argument *argument = &command->arguments[command->argument_count++];
    const uint64_t address = pair(arguments + at);
    const driver_buffer *buffer = address == 0 ? NULL : buffer_at(address, handles, handle_count);
    if (buffer != NULL)
      *argument = (npu_argument){buffer->bytes + (address - buffer->address),
                                 buffer->size - (address - buffer->address), address};
  }
}

static int read_packets(const driver_context *context, uint32_t *packet, const uint32_t *handles, uint32_t handle_count,
                        submission *one) {
  if ((packet[0] >> 23 & 31) != PACKET_CHAIN) {
    one->packets[one->job.count] = packet;
    read_packet(context, packet, handles, handle_count, &one->commands[one->job.count++]);
    return 0;
  }
  one->chain = packet;
  if (packet[1] < 1 || packet[1] > CHAIN) return EINVAL;
  for (uint32_t i = 0; i < packet[1]; i++) {
    const driver_buffer *link = buffer_named((uint32_t)pair(packet + 7 + 2 * i));
    if (link == NULL || link->type != BUFFER_COMMAND) return EINVAL;
    one->packets[one->job.count] = (uint32_t *)link->bytes;
    read_packet(context, (const uint32_t *)link->bytes, handles, handle_count, &one->commands[one->job.count++]);
  }
  return 0;
}

int context_execute(execute_request *request) {
  driver_context *context = named(request->context);
  if (context == NULL || context->unit_count == 0) return EINVAL;
  if (request->type != 0 || request->command_count != 1 || request->argument_count > MOST_ARGUMENT_HANDLES)
    return EINVAL;
  const driver_buffer *packet = buffer_named((uint32_t)request->commands);
  if (packet == NULL || packet->type != BUFFER_COMMAND) return EINVAL;
  prune(context);
  submission *one = calloc(1, sizeof *one);
  if (one == NULL) return ENOMEM;
  one->job = (npu_job){
      .commands = one->commands, .context = request->context, .ended = ended, .owner = one, .failed = -1};
  int refusal = read_packets(context, (uint32_t *)packet->bytes, (const uint32_t *)(uintptr_t)request->arguments,
                             request->argument_count, one);
  if (refusal == 0) refusal = npu_device_submit(driver_device, &one->job);
  if (refusal != 0) {
    free(one);
    return refusal;
  }
  request->sequence = one->sequence = ++context->submitted;
  one->next = context->first;
  context->first = one;
  return 0;
}

int context_wait(uint32_t handle, uint32_t sync_object, uint64_t sequence, int64_t until) {
  driver_context *context = named(handle != 0 ? handle : sync_object - SYNC_BASE);
  if (context == NULL) return EINVAL;
  submission *one = context->first;
  while (one != NULL && one->sequence != sequence) one = one->next;
  if (one == NULL) return sequence <= context->submitted ? 0 : EINVAL;
  one->waiters++;
  const int64_t left = until - driver_now();
  const int64_t most = 1000000ll * INT32_MAX;
  pthread_mutex_unlock(&driver_lock);
  const int is_over = left <= 0 ? npu_device_is_over(driver_device, &one->job)
                                : npu_device_wait(driver_device, &one->job,
                                                  left > most ? 0 : (uint32_t)((left + 999999) / 1000000));
  pthread_mutex_lock(&driver_lock);
  one->waiters--;
  return is_over ? 0 : ETIME;
}

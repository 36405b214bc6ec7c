#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "objects.h"

/* The arguments of an MLIR-AIE kernel: opcode, instructions, their number, then buffers. */
enum { ARGUMENT_OPCODE = 0, ARGUMENT_INSTRUCTIONS = 1, ARGUMENT_COUNT = 2, ARGUMENT_BUFFERS = 3, OPCODE_RUN = 3 };

static npu_device *npu_of(const run_object *run) { return device_of(run->kernel->context)->npu; }

/* Whether the run's arguments are in use. Its lock is held. */
static int is_busy(run_object *run) {
  return atomic_load(&run->lists) > 0 || (run->is_started && !npu_device_is_over(npu_of(run), &run->job));
}

static void free_run(handle_object *object) {
  run_object *run = (run_object *)object;
  if (run->is_started) npu_device_wait(npu_of(run), &run->job, 0);
  for (int i = 0; i < AXLF_ARGUMENTS; i++)
    if (run->buffers[i] != NULL) object_release(&run->buffers[i]->object);
  pthread_mutex_destroy(&run->lock);
  object_release(&run->kernel->object);
  free(run);
}

int32_t sotto_xrt_run_create(uint64_t kernel, uint64_t *run, char *error, size_t error_capacity) {
  const error_sink sink = {error, error_capacity};
  kernel_object *owner = (kernel_object *)handle_acquire(kernel, HANDLE_NPU_KERNEL);
  if (owner == NULL) return fail_handle(sink, "a kernel");
  run_object *object = object_create(sizeof *object, HANDLE_NPU_RUN, free_run);
  if (object == NULL) {
    object_release(&owner->object);
    return fail_memory(sink, "a run");
  }
  object->kernel = owner;
  object->command.state = COMMAND_NEW;
  object->job = (npu_job){
      .commands = &object->command, .count = 1, .context = owner->context->id, .failed = -1, .is_over = 1};
  pthread_mutex_init(&object->lock, NULL);
  return object_enter(&object->object, run, sink);
}

/* Takes the run and its lock for a change of argument `index`; else status and text. */
static int32_t begin_change(uint64_t handle, uint32_t index, int is_buffer, run_object **run, error_sink error) {
  run_object *object = (run_object *)handle_acquire(handle, HANDLE_NPU_RUN);
  if (object == NULL) return fail_handle(error, "a run");
  const axlf_kernel *kernel = object->kernel->kernel;
  int32_t status = SOTTO_XRT_OK;
  if (index >= (uint32_t)kernel->argument_count)
    status = fail(error, SOTTO_XRT_INVALID_ARGUMENT, "Cannot set argument %u: kernel %s has %d", index, kernel->name,
                  kernel->argument_count);
  else if (kernel->arguments[index].is_buffer != is_buffer)
    status = fail(error, SOTTO_XRT_INVALID_ARGUMENT, "Cannot set argument %u: %s is a %s", index,
                  kernel->arguments[index].name, is_buffer ? "scalar" : "buffer");
  pthread_mutex_lock(&object->lock);
  if (status == SOTTO_XRT_OK && is_busy(object))
    status = fail(error, SOTTO_XRT_BUSY, "Cannot set argument %u: the run is under way", index);
  if (status == SOTTO_XRT_OK) {
    *run = object;
    return SOTTO_XRT_OK;
  }
  pthread_mutex_unlock(&object->lock);
  object_release(&object->object);
  return status;
}

static void end_change(run_object *run) {
  pthread_mutex_unlock(&run->lock);
  object_release(&run->object);
}

int32_t sotto_xrt_run_set_scalar(uint64_t run, uint32_t index, uint64_t value, char *error, size_t error_capacity) {
  const error_sink sink = {error, error_capacity};
  run_object *object;
  int32_t status = begin_change(run, index, 0, &object, sink);
  if (status != SOTTO_XRT_OK) return status;
  const axlf_argument *argument = &object->kernel->kernel->arguments[index];
  if (argument->size < 8 && value >> 8 * argument->size != 0) {
    status = fail(sink, SOTTO_XRT_INVALID_ARGUMENT, "Cannot set argument %u: %s has %u bytes, %llu needs more", index,
                  argument->name, argument->size, (unsigned long long)value);
  } else {
    object->scalars[index] = value;
    object->is_set |= 1u << index;
  }
  end_change(object);
  return status;
}

int32_t sotto_xrt_run_set_buffer(uint64_t run, uint32_t index, uint64_t buffer, char *error, size_t error_capacity) {
  const error_sink sink = {error, error_capacity};
  buffer_object *given = (buffer_object *)handle_acquire(buffer, HANDLE_NPU_BUFFER);
  if (given == NULL) return fail_handle(sink, "a buffer");
  run_object *object;
  int32_t status = begin_change(run, index, 1, &object, sink);
  if (status == SOTTO_XRT_OK) {
    if (given->device != device_of(object->kernel->context)) {
      status = fail(sink, SOTTO_XRT_INVALID_ARGUMENT, "Cannot set argument %u: the buffer is of another device", index);
    } else if (index == ARGUMENT_INSTRUCTIONS && given->kind != SOTTO_XRT_INSTRUCTIONS) {
      status = fail(sink, SOTTO_XRT_INVALID_ARGUMENT, "Cannot set argument %u: instructions need a buffer of kind 2",
                    index);
    } else {
      buffer_object *before = object->buffers[index];
      object->buffers[index] = given; /* its use goes over to the run */
      object->is_set |= 1u << index;
      given = before;
    }
    end_change(object);
  }
  if (given != NULL) object_release(&given->object);
  return status;
}

int32_t run_prepare(run_object *run, npu_command *command, error_sink error) {
  const axlf_kernel *kernel = run->kernel->kernel;
  for (int i = 0; i < kernel->argument_count; i++) {
    const int is_needed = !kernel->arguments[i].is_buffer || i == ARGUMENT_INSTRUCTIONS;
    if (is_needed && !(run->is_set >> i & 1))
      return fail(error, SOTTO_XRT_INVALID_ARGUMENT, "Cannot start the run: argument %d (%s) is not set", i,
                  kernel->arguments[i].name);
  }
  *command = (npu_command){.overlay = &run->kernel->context->overlay->overlay, .state = COMMAND_NEW};
  const buffer_object *instructions = run->buffers[ARGUMENT_INSTRUCTIONS];
  if (kernel->argument_count <= ARGUMENT_COUNT || instructions == NULL) {
    command->fault = "The kernel's arguments are not those of an MLIR-AIE kernel";
  } else if (run->scalars[ARGUMENT_OPCODE] != OPCODE_RUN) {
    command->fault = "The opcode is not 3, which runs an instruction stream";
  } else if (run->scalars[ARGUMENT_COUNT] > instructions->size / 4) {
    command->fault = "More instructions are counted than their buffer holds";
  } else {
    command->words = (const uint32_t *)instructions->memory;
    command->word_count = (size_t)run->scalars[ARGUMENT_COUNT];
  }
  for (int i = ARGUMENT_BUFFERS; i < kernel->argument_count; i++) {
    const buffer_object *buffer = run->buffers[i];
    if (buffer != NULL)
      command->arguments[i - ARGUMENT_BUFFERS] = (npu_argument){buffer->memory, buffer->size, buffer->address};
    command->argument_count = i - ARGUMENT_BUFFERS + 1;
  }
  return SOTTO_XRT_OK;
}

int32_t command_status(const npu_command *command, error_sink error) {
  switch (command->state) {
  case COMMAND_COMPLETED: return SOTTO_XRT_OK;
  case COMMAND_TIMEOUT:
    return fail(error, SOTTO_XRT_COMMAND_HUNG, "The NPU's watchdog ended the command (state 8, modelled). %s",
                command->text);
  default:
    return fail(error, SOTTO_XRT_COMMAND_ERROR, "The command ended in state %d (modelled). %s", command->state,
                command->text);
  }
}

static int32_t submit(npu_device *npu, npu_job *job, error_sink error) {
  const int refusal = npu_device_submit(npu, job);
  if (refusal == 0) return SOTTO_XRT_OK;
  job->is_over = 1;
  if (refusal == ENODEV)
    return fail(error, SOTTO_XRT_DEVICE_LOST, "The NPU is lost: no command can be submitted (modelled)");
  return fail(error, SOTTO_XRT_SUBMIT_REFUSED, "The driver refused the command (err=-%d) (modelled)", refusal);
}

int32_t sotto_xrt_run_start(uint64_t run, char *error, size_t error_capacity) {
  const error_sink sink = {error, error_capacity};
  run_object *object = (run_object *)handle_acquire(run, HANDLE_NPU_RUN);
  if (object == NULL) return fail_handle(sink, "a run");
  pthread_mutex_lock(&object->lock);
  int32_t status;
  if (is_busy(object)) {
    status = fail(sink, SOTTO_XRT_BUSY, "Cannot start the run: it is under way");
  } else if ((status = run_prepare(object, &object->command, sink)) == SOTTO_XRT_OK) {
    status = submit(npu_of(object), &object->job, sink);
    object->is_started = status == SOTTO_XRT_OK;
  }
  pthread_mutex_unlock(&object->lock);
  object_release(&object->object);
  return status;
}

int32_t sotto_xrt_run_wait(uint64_t run, uint32_t timeout_ms, int32_t *state, char *error, size_t error_capacity) {
  const error_sink sink = {error, error_capacity};
  run_object *object = (run_object *)handle_acquire(run, HANDLE_NPU_RUN);
  if (object == NULL) return fail_handle(sink, "a run");
  pthread_mutex_lock(&object->lock);
  const int is_started = object->is_started;
  pthread_mutex_unlock(&object->lock);
  int32_t status;
  *state = COMMAND_NEW;
  if (!is_started) {
    status = fail(sink, SOTTO_XRT_INVALID_ARGUMENT, "Cannot wait for a run that was not started");
  } else if (!npu_device_wait(npu_of(object), &object->job, timeout_ms)) {
    *state = npu_device_state(npu_of(object), &object->command);
    status = fail(sink, SOTTO_XRT_TIMEOUT, "The command was not over after %u ms", timeout_ms);
  } else {
    *state = npu_device_state(npu_of(object), &object->command);
    status = command_status(&object->command, sink);
  }
  object_release(&object->object);
  return status;
}

int32_t sotto_xrt_run_state(uint64_t run, int32_t *state, char *error, size_t error_capacity) {
  run_object *object = (run_object *)handle_acquire(run, HANDLE_NPU_RUN);
  if (object == NULL) return fail_handle((error_sink){error, error_capacity}, "a run");
  *state = npu_device_state(npu_of(object), &object->command);
  object_release(&object->object);
  return SOTTO_XRT_OK;
}

/* ---- lists of runs ---- */

/* Lets the runs of a list go, on the device's thread; each keeps the events of its command. */
static void list_ended(npu_job *job) {
  runlist_object *list = job->owner;
  for (int i = 0; i < job->count; i++) {
    list->runs[i]->command.events = list->commands[i].events;
    list->runs[i]->command.state = list->commands[i].state;
    atomic_fetch_sub(&list->runs[i]->lists, 1);
  }
}

static void free_runlist(handle_object *object) {
  runlist_object *list = (runlist_object *)object;
  if (list->is_started) npu_device_wait(device_of(list->context)->npu, &list->job, 0);
  for (int i = 0; i < list->count; i++) object_release(&list->runs[i]->object);
  pthread_mutex_destroy(&list->lock);
  object_release(&list->context->object);
  free(list);
}

int32_t sotto_xrt_runlist_create(uint64_t context, uint64_t *runlist, char *error, size_t error_capacity) {
  const error_sink sink = {error, error_capacity};
  context_object *owner = (context_object *)handle_acquire(context, HANDLE_NPU_CONTEXT);
  if (owner == NULL) return fail_handle(sink, "a context");
  runlist_object *object = object_create(sizeof *object, HANDLE_NPU_RUNLIST, free_runlist);
  if (object == NULL) {
    object_release(&owner->object);
    return fail_memory(sink, "a runlist");
  }
  object->context = owner;
  object->job = (npu_job){.commands = object->commands,
                          .context = owner->id,
                          .failed = -1,
                          .is_over = 1,
                          .ended = list_ended,
                          .owner = object};
  pthread_mutex_init(&object->lock, NULL);
  return object_enter(&object->object, runlist, sink);
}

static int is_under_way(runlist_object *list) {
  return list->is_started && !npu_device_is_over(device_of(list->context)->npu, &list->job);
}

int32_t sotto_xrt_runlist_add(uint64_t runlist, uint64_t run, char *error, size_t error_capacity) {
  const error_sink sink = {error, error_capacity};
  run_object *given = (run_object *)handle_acquire(run, HANDLE_NPU_RUN);
  if (given == NULL) return fail_handle(sink, "a run");
  runlist_object *list = (runlist_object *)handle_acquire(runlist, HANDLE_NPU_RUNLIST);
  if (list == NULL) {
    object_release(&given->object);
    return fail_handle(sink, "a runlist");
  }
  pthread_mutex_lock(&list->lock);
  int32_t status = SOTTO_XRT_OK;
  if (given->kernel->context != list->context)
    status = fail(sink, SOTTO_XRT_INVALID_ARGUMENT, "Cannot add the run: it is of another context than the list");
  else if (is_under_way(list)) status = fail(sink, SOTTO_XRT_BUSY, "Cannot add a run: the list is under way");
  else if (list->count == RUNLIST_RUNS)
    status = fail(sink, SOTTO_XRT_INVALID_ARGUMENT, "Cannot add a run: a list holds at most %d", RUNLIST_RUNS);
  else list->runs[list->count++] = given;
  pthread_mutex_unlock(&list->lock);
  if (status != SOTTO_XRT_OK) object_release(&given->object);
  object_release(&list->object);
  return status;
}

/* Prepares all commands; the arguments are taken as they are now. */
static int32_t prepare(runlist_object *list, error_sink error) {
  if (list->count == 0) return fail(error, SOTTO_XRT_INVALID_ARGUMENT, "Cannot start the list: it has no run");
  for (int i = 0; i < list->count; i++) {
    run_object *run = list->runs[i];
    pthread_mutex_lock(&run->lock);
    const int32_t status = run_prepare(run, &list->commands[i], error);
    run->is_started |= status == SOTTO_XRT_OK;
    pthread_mutex_unlock(&run->lock);
    if (status != SOTTO_XRT_OK) return status;
  }
  list->job.count = list->count;
  return SOTTO_XRT_OK;
}

int32_t sotto_xrt_runlist_start(uint64_t runlist, char *error, size_t error_capacity) {
  const error_sink sink = {error, error_capacity};
  runlist_object *list = (runlist_object *)handle_acquire(runlist, HANDLE_NPU_RUNLIST);
  if (list == NULL) return fail_handle(sink, "a runlist");
  pthread_mutex_lock(&list->lock);
  int32_t status;
  if (is_under_way(list)) {
    status = fail(sink, SOTTO_XRT_BUSY, "Cannot start the list: it is under way");
  } else if ((status = prepare(list, sink)) == SOTTO_XRT_OK) {
    for (int i = 0; i < list->count; i++) atomic_fetch_add(&list->runs[i]->lists, 1);
    status = submit(device_of(list->context)->npu, &list->job, sink);
    if (status != SOTTO_XRT_OK) list_ended(&list->job);
    list->is_started = status == SOTTO_XRT_OK;
  }
  pthread_mutex_unlock(&list->lock);
  object_release(&list->object);
  return status;
}

int32_t sotto_xrt_runlist_wait(uint64_t runlist, uint32_t timeout_ms, int32_t *failed, char *error,
                               size_t error_capacity) {
  const error_sink sink = {error, error_capacity};
  runlist_object *list = (runlist_object *)handle_acquire(runlist, HANDLE_NPU_RUNLIST);
  if (list == NULL) return fail_handle(sink, "a runlist");
  pthread_mutex_lock(&list->lock);
  const int is_started = list->is_started;
  pthread_mutex_unlock(&list->lock);
  int32_t status = SOTTO_XRT_OK;
  *failed = -1;
  if (!is_started) status = fail(sink, SOTTO_XRT_INVALID_ARGUMENT, "Cannot wait for a list that was not started");
  else if (!npu_device_wait(device_of(list->context)->npu, &list->job, timeout_ms))
    status = fail(sink, SOTTO_XRT_TIMEOUT, "The list was not over after %u ms", timeout_ms);
  else if ((*failed = list->job.failed) >= 0) status = command_status(&list->commands[*failed], sink);
  object_release(&list->object);
  return status;
}

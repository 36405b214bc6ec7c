#define _GNU_SOURCE /* strnlen under -std=c11 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "objects.h"

/* What the next device is like: sotto_xrt_model_configure's text, else the environment's. */
static pthread_mutex_t settings_lock = PTHREAD_MUTEX_INITIALIZER;
static npu_settings configured;
static int is_configured;

uint32_t sotto_xrt_abi(void) { return SOTTO_XRT_ABI; }

int32_t sotto_xrt_describe(char *json, size_t json_capacity) {
  snprintf(json, json_capacity, "{\"library\": \"libsotto_npu_emulated\", \"modelled\": true, \"xrt\": null}");
  return SOTTO_XRT_OK;
}

int32_t sotto_xrt_model_configure(const char *text, size_t text_length, char *error, size_t error_capacity) {
  npu_settings settings;
  const int32_t status = npu_settings_read(&settings, text, text_length, (error_sink){error, error_capacity});
  if (status != SOTTO_OK) return status;
  pthread_mutex_lock(&settings_lock);
  configured = settings;
  is_configured = 1;
  pthread_mutex_unlock(&settings_lock);
  return SOTTO_XRT_OK;
}

/* Status and text of why device `index` cannot be opened. */
static int32_t find(uint32_t index, npu_settings *settings, error_sink error) {
  int32_t status = SOTTO_OK;
  pthread_mutex_lock(&settings_lock);
  if (is_configured) {
    *settings = configured;
  } else {
    const char *text = getenv("SOTTO_NPU_MODEL");
    if (text == NULL) text = "";
    status = npu_settings_read(settings, text, strlen(text), error);
  }
  pthread_mutex_unlock(&settings_lock);
  if (status != SOTTO_OK) return status;
  if (settings->kind == NULL) return fail(error, SOTTO_XRT_ABSENT, "There is no NPU (modelled)");
  if (index != 0) return fail(error, SOTTO_XRT_ABSENT, "There is no NPU %u: only 0 (modelled)", index);
  if (settings->is_forbidden)
    return fail(error, SOTTO_XRT_PERMISSION, "/dev/accel/accel0 may not be opened by this user (modelled)");
  if (settings->is_unlocked)
    return fail(error, SOTTO_XRT_MEMLOCK, "The NPU's heap of 64 MiB cannot be locked in memory (modelled)");
  return SOTTO_OK;
}

int32_t sotto_xrt_probe(uint32_t *devices, char *json, size_t json_capacity, char *error, size_t error_capacity) {
  npu_settings settings;
  *devices = 0;
  snprintf(json, json_capacity, "[]");
  const int32_t status = find(0, &settings, (error_sink){error, error_capacity});
  if (status != SOTTO_OK) return status;
  *devices = 1;
  snprintf(json, json_capacity, "[{\"index\": 0, \"name\": \"%s\", \"modelled\": true}]", settings.kind->name);
  return SOTTO_XRT_OK;
}

static void free_device(handle_object *object) {
  npu_device_destroy(((device_object *)object)->npu);
  free(object);
}

int32_t sotto_xrt_device_open(uint32_t index, uint64_t *device, char *error, size_t error_capacity) {
  const error_sink sink = {error, error_capacity};
  npu_settings settings;
  const int32_t status = find(index, &settings, sink);
  if (status != SOTTO_OK) return status;
  device_object *object = object_create(sizeof *object, HANDLE_NPU_DEVICE, free_device);
  if (object == NULL) return fail_memory(sink, "a device");
  object->npu = npu_device_create(&settings);
  if (object->npu == NULL) {
    free(object);
    return fail_memory(sink, "the NPU's model and its threads");
  }
  atomic_store(&object->next_address, 0x1000000000);
  return object_enter(&object->object, device, sink);
}

int32_t sotto_xrt_device_describe(uint64_t device, char *json, size_t json_capacity, char *error,
                                  size_t error_capacity) {
  device_object *object = (device_object *)handle_acquire(device, HANDLE_NPU_DEVICE);
  if (object == NULL) return fail_handle((error_sink){error, error_capacity}, "a device");
  const npu_kind *kind = npu_device_settings(object->npu)->kind;
  char clock[512];
  clock_describe(kind->clock, clock, sizeof clock);
  snprintf(json, json_capacity,
           "{\"name\": \"%s\", \"generation\": \"npu%d\", \"columns\": %d, \"rows\": %d, \"contexts\": %d, "
           "\"modelled\": true, \"clock\": %s}",
           kind->name, kind->generation, kind->columns, kind->rows, kind->contexts, clock);
  object_release(&object->object);
  return SOTTO_XRT_OK;
}

static void device_counts(device_object *device, uint64_t *counters) {
  const npu_totals totals = npu_device_totals(device->npu);
  counters[SOTTO_XRT_COUNT_LAUNCHES] = totals.launches;
  counters[SOTTO_XRT_COUNT_BYTES_WRITTEN] = atomic_load(&device->bytes_written);
  counters[SOTTO_XRT_COUNT_BYTES_READ] = atomic_load(&device->bytes_read);
  counters[SOTTO_XRT_COUNT_BYTES_SYNCED] = atomic_load(&device->bytes_synced);
  counters[SOTTO_XRT_COUNT_CONTEXTS] = atomic_load(&device->contexts);
  counters[SOTTO_XRT_COUNT_FAILURES] = totals.failures;
  counters[SOTTO_XRT_COUNT_MODELLED_SWITCHES] = totals.switches;
  counters[SOTTO_XRT_COUNT_MODELLED_NANOSECONDS] = totals.events.nanoseconds;
  counters[SOTTO_XRT_COUNT_MODELLED_BYTES_IN] = totals.events.bytes_in;
  counters[SOTTO_XRT_COUNT_MODELLED_BYTES_OUT] = totals.events.bytes_out;
  counters[SOTTO_XRT_COUNT_MODELLED_OPERATIONS] = totals.events.operations;
  counters[SOTTO_XRT_COUNT_MODELLED_INSTRUCTIONS] = totals.events.instructions;
  counters[SOTTO_XRT_COUNT_MODELLED_DMA_TASKS] = totals.events.dma_tasks;
}

static void run_counts(run_object *run, uint64_t *counters) {
  pthread_mutex_lock(&run->lock);
  if (run->is_started && npu_device_is_over(device_of(run->kernel->context)->npu, &run->job)) {
    const npu_command *command = &run->command;
    counters[SOTTO_XRT_COUNT_LAUNCHES] = 1;
    counters[SOTTO_XRT_COUNT_FAILURES] = command->state != COMMAND_COMPLETED;
    counters[SOTTO_XRT_COUNT_MODELLED_SWITCHES] = (uint64_t)command->is_switch;
    counters[SOTTO_XRT_COUNT_MODELLED_NANOSECONDS] = command->events.nanoseconds;
    counters[SOTTO_XRT_COUNT_MODELLED_BYTES_IN] = command->events.bytes_in;
    counters[SOTTO_XRT_COUNT_MODELLED_BYTES_OUT] = command->events.bytes_out;
    counters[SOTTO_XRT_COUNT_MODELLED_OPERATIONS] = command->events.operations;
    counters[SOTTO_XRT_COUNT_MODELLED_INSTRUCTIONS] = command->events.instructions;
    counters[SOTTO_XRT_COUNT_MODELLED_DMA_TASKS] = command->events.dma_tasks;
  }
  pthread_mutex_unlock(&run->lock);
}

int32_t sotto_xrt_counters(uint64_t handle, uint64_t *counters, size_t counters_length, char *error,
                           size_t error_capacity) {
  const error_sink sink = {error, error_capacity};
  if (counters_length != SOTTO_XRT_COUNTERS)
    return fail(sink, SOTTO_XRT_INVALID_ARGUMENT, "Cannot count: %d places are needed, got %zu", SOTTO_XRT_COUNTERS,
                counters_length);
  memset(counters, 0, SOTTO_XRT_COUNTERS * sizeof *counters);
  handle_object *object = handle_acquire(handle, HANDLE_NPU_DEVICE);
  if (object != NULL) device_counts((device_object *)object, counters);
  else if ((object = handle_acquire(handle, HANDLE_NPU_RUN)) != NULL) run_counts((run_object *)object, counters);
  else return fail_handle(sink, "a device or a run");
  object_release(object);
  return SOTTO_XRT_OK;
}

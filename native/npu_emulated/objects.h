/* What handles of sotto_xrt.h name. Each keeps what it was made from. */
#ifndef SOTTO_NPU_OBJECTS_H
#define SOTTO_NPU_OBJECTS_H

#include <pthread.h>
#include <stdatomic.h>

#include "../axlf/axlf.h"
#include "../cpu/handles.h"
#include "../include/sotto_xrt.h"
#include "../npu_model/device.h"

enum { RUNLIST_RUNS = 24 };

typedef struct {
  handle_object object;
  npu_device *npu;
  atomic_ullong bytes_written, bytes_read, bytes_synced, contexts, next_address;
} device_object;

typedef struct {
  handle_object object;
  device_object *device;
  uint8_t *bytes;
  xclbin_file file;
  npu_overlay overlay;
} overlay_object;

typedef struct {
  handle_object object;
  overlay_object *overlay;
  uint64_t id;
} context_object;

typedef struct {
  handle_object object;
  context_object *context;
  const axlf_kernel *kernel;
} kernel_object;

typedef struct {
  handle_object object;
  device_object *device;
  uint8_t *bytes;  /* what the host maps */
  uint8_t *memory; /* what the NPU sees of it: as of the last sync, so that a forgotten one shows */
  uint64_t size, address;
  int32_t kind;
} buffer_object;

typedef struct {
  handle_object object;
  kernel_object *kernel;
  pthread_mutex_t lock; /* guards what follows */
  uint64_t scalars[AXLF_ARGUMENTS];
  buffer_object *buffers[AXLF_ARGUMENTS];
  uint32_t is_set; /* a bit for each argument */
  int is_started;
  atomic_int lists; /* under way that hold the run */
  npu_command command;
  npu_job job;
} run_object;

typedef struct {
  handle_object object;
  context_object *context;
  pthread_mutex_t lock;
  run_object *runs[RUNLIST_RUNS];
  int count, is_started;
  npu_command commands[RUNLIST_RUNS];
  npu_job job;
} runlist_object;

/* An object of zeros with its kind; NULL where memory is refused. */
void *object_create(size_t size, handle_kind kind, void (*free_object)(handle_object *));

/* Enters an object; frees it where the table has no room. */
int32_t object_enter(handle_object *object, uint64_t *handle, error_sink error);

/* fail() for a handle that names nothing, or something else. */
int32_t fail_handle(error_sink error, const char *what);

/* fail() for memory. */
int32_t fail_memory(error_sink error, const char *what);

/* Where objects of a command come from. */
static inline device_object *device_of(const context_object *context) { return context->overlay->device; }

/* What the command of a run is, from its arguments. Status and text if one is missing. */
int32_t run_prepare(run_object *run, npu_command *command, error_sink error);

/* Status and text of how a command ended. */
int32_t command_status(const npu_command *command, error_sink error);

#endif

#define _GNU_SOURCE /* clock_gettime under -std=c11 */
#include "driver.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

pthread_mutex_t driver_lock = PTHREAD_MUTEX_INITIALIZER;
npu_device *driver_device;
npu_settings driver_settings;
int driver_logs;

int64_t driver_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int driver_open(int fd) {
  (void)fd;
  if (driver_device == NULL) driver_device = npu_device_create(&driver_settings);
  return driver_device == NULL ? ENOMEM : 0;
}

static int give(get_info_request *request, const void *answer, size_t size) {
  if (request->size < size) return EINVAL;
  memcpy((void *)(uintptr_t)request->buffer, answer, size);
  request->size = (uint32_t)size;
  return 0;
}

static int get_info(get_info_request *request) {
  const npu_kind *kind = driver_settings.kind;
  switch (request->parameter) {
  case INFO_METADATA: {
    /* Phoenix has a fifth column that designs cannot use. */
    const array_metadata array = {.column_size = 1 << 25,
                                  .columns = (uint16_t)(kind->generation == 1 ? kind->columns + 1 : kind->columns),
                                  .rows = (uint16_t)(kind->rows + 2),
                                  .major = (uint32_t)kind->generation,
                                  .minor = 1,
                                  .core = {(uint16_t)kind->rows, 2, 2, 16, 64, {0}},
                                  .memory = {1, 1, 6, 64, 64, {0}},
                                  .shim = {1, 0, 2, 16, 64, {0}}};
    return give(request, &array, sizeof array);
  }
  case INFO_VERSION: return give(request, (uint32_t[]){(uint32_t)kind->generation, 1}, 8);
  case INFO_FIRMWARE: return give(request, (uint32_t[]){1, 5, 5, 391}, 16);
  case INFO_POWER_MODE: return give(request, (uint64_t[]){0}, 8);
  case INFO_CLOCKS: {
    const clock_metadata clocks = {.npu = {"MP-NPU Clock", 800, 0}, .array = {"H Clock", 1600, 0}};
    return give(request, &clocks, sizeof clocks);
  }
  case INFO_RESOURCES: return give(request, (uint64_t[]){1600, 10, (uint64_t)kind->contexts, 0, 0}, 40);
  default: return EOPNOTSUPP;
  }
}

/* Until a command of the context is over; the timeout of 0 has no end. */
static int wait_command(const wait_command_request *request) {
  const int64_t until = request->timeout_ms == 0 ? INT64_MAX : driver_now() + 1000000ll * request->timeout_ms;
  return context_wait(request->context, 0, request->sequence, until);
}

static int wait_timeline(const timeline_wait_request *request) {
  if (request->count != 1) return EINVAL;
  return context_wait(0, *(const uint32_t *)(uintptr_t)request->handles, *(const uint64_t *)(uintptr_t)request->points,
                      request->until);
}

int driver_ioctl(int fd, unsigned number, void *argument) {
  static uint32_t last_sync_object = 1 << 20;
  switch (number) {
  case IOCTL_CREATE_CONTEXT: return context_create(argument);
  case IOCTL_DESTROY_CONTEXT: return context_destroy(((handle_request *)argument)->handle);
  case IOCTL_CONFIGURE_CONTEXT: return context_configure(argument);
  case IOCTL_CREATE_BUFFER: return buffer_create(fd, argument);
  case IOCTL_BUFFER_INFO: return buffer_describe(argument);
  case IOCTL_GEM_CLOSE: return buffer_close(((handle_request *)argument)->handle);
  case IOCTL_EXECUTE: return context_execute(argument);
  case IOCTL_WAIT_COMMAND: return wait_command(argument);
  case IOCTL_TIMELINE_WAIT: return wait_timeline(argument);
  case IOCTL_GET_INFO: return get_info(argument);
  case IOCTL_SYNCOBJ_CREATE: *(uint32_t *)argument = ++last_sync_object; return 0;
  case IOCTL_SYNCOBJ_DESTROY:
  case IOCTL_SYNC_BUFFER:
  case IOCTL_SET_STATE: return 0;
  default:
    if (driver_logs) fprintf(stderr, "sotto_npu: ioctl 0x%x is not answered\n", number);
    return EOPNOTSUPP;
  }
}

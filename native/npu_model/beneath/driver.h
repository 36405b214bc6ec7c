/* The pretended driver: one device, one lock. Functions answer with 0 or an errno; the lock is held throughout. */
#ifndef SOTTO_NPU_DRIVER_H
#define SOTTO_NPU_DRIVER_H

#include <pthread.h>

#include "../device.h"
#include "interface.h"

extern pthread_mutex_t driver_lock;

/* The device, made when it is first opened; NULL before. */
extern npu_device *driver_device;

/* The settings of SOTTO_NPU_MODEL, read when the library is loaded. */
extern npu_settings driver_settings;

/* Whether commands that fail are explained on stderr. */
extern int driver_logs;

typedef struct {
  int type; /* 0: free */
  int fd;   /* whose memory it is */
  uint64_t size, map_offset, address;
  uint64_t wanted; /* bytes asked for; `size` is whole pages */
  uint8_t *bytes;
} driver_buffer;

enum { DRIVER_BUFFERS = 16384 };
#define NO_OFFSET (~0ull)

int driver_open(int fd);
int driver_ioctl(int fd, unsigned number, void *argument);

int buffer_create(int fd, create_buffer_request *request);
int buffer_describe(buffer_info_request *request);
int buffer_close(uint32_t handle);
/* NULL for a handle that names no buffer. */
driver_buffer *buffer_named(uint32_t handle);
/* The buffer among `handles` that holds an address; NULL where none does. */
driver_buffer *buffer_at(uint64_t address, const uint32_t *handles, uint32_t count);
/* The same among all parts of the heap. */
driver_buffer *heap_at(uint64_t address, uint64_t size);

int context_create(create_context_request *request);
int context_destroy(uint32_t handle);
int context_configure(const configure_context_request *request);
int context_execute(execute_request *request);
/* Waits for a command of the context that has this handle, or this sync object; the lock is given up meanwhile. */
int context_wait(uint32_t handle, uint32_t sync_object, uint64_t sequence, int64_t until);

/* Now, in ns of the monotonic clock. */
int64_t driver_now(void);

#endif

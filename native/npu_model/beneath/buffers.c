#define _GNU_SOURCE /* fallocate */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include "driver.h"

/* Where the device sees its heap (instructions and PDIs), and the host's shared memory. */
#define HEAP_ADDRESS 0x4000000ull
#define SHARED_ADDRESS 0x8000000000ull

enum { PAGE = 4096, GAP = 1 << 21 };

static driver_buffer buffers[DRIVER_BUFFERS]; /* 0 names none */
static uint64_t next_offset = GAP, heap_size;

driver_buffer *buffer_named(uint32_t handle) {
  return handle > 0 && handle < DRIVER_BUFFERS && buffers[handle].type != 0 ? &buffers[handle] : NULL;
}

static int holds(const driver_buffer *buffer, uint64_t address, uint64_t size) {
  return buffer->type != 0 && address >= buffer->address && address - buffer->address < buffer->size &&
         size <= buffer->size - (address - buffer->address);
}

driver_buffer *buffer_at(uint64_t address, const uint32_t *handles, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    driver_buffer *buffer = buffer_named(handles[i]);
    if (buffer != NULL && holds(buffer, address, 1)) return buffer;
  }
  return NULL;
}

driver_buffer *heap_at(uint64_t address, uint64_t size) {
  for (uint32_t i = 1; i < DRIVER_BUFFERS; i++)
    if (buffers[i].type == BUFFER_DEVICE && holds(&buffers[i], address, size)) return &buffers[i];
  return NULL;
}

static int map_shared(driver_buffer *buffer) {
  buffer->map_offset = next_offset;
  next_offset += (buffer->size + 2 * GAP - 1) / GAP * GAP;
  void *at = mmap(NULL, buffer->size, PROT_READ | PROT_WRITE, MAP_SHARED, buffer->fd, (off_t)buffer->map_offset);
  if (at == MAP_FAILED) return ENOMEM;
  buffer->bytes = at;
  buffer->address = SHARED_ADDRESS + buffer->map_offset;
  if (buffer->type != BUFFER_HEAP) return 0;
  buffer->address = HEAP_ADDRESS + heap_size;
  heap_size += buffer->size;
  return 0;
}

/* The lowest gap of the heap between the parts in use. */
static int take_from_heap(driver_buffer *buffer) {
  uint64_t at = HEAP_ADDRESS;
  for (int moved = 1; moved;) {
    moved = 0;
    for (uint32_t i = 1; i < DRIVER_BUFFERS; i++) {
      const driver_buffer *other = &buffers[i];
      if (other == buffer || other->type != BUFFER_DEVICE || at >= other->address + other->size ||
          other->address >= at + buffer->size)
        continue;
      at = other->address + other->size;
      moved = 1;
    }
  }
  for (uint32_t i = 1; i < DRIVER_BUFFERS; i++) {
    if (buffers[i].type != BUFFER_HEAP || !holds(&buffers[i], at, buffer->size)) continue;
    buffer->address = at;
    buffer->bytes = buffers[i].bytes + (at - buffers[i].address);
    memset(buffer->bytes, 0, buffer->size);
    return 0;
  }
  return EAGAIN;
}

static int use_user_memory(driver_buffer *buffer, const user_memory *table) {
  if (table->count != 1) return EINVAL;
  buffer->bytes = (uint8_t *)(uintptr_t)table->entries[0].address;
  buffer->address = table->entries[0].address;
  buffer->size = table->entries[0].length;
  return 0;
}

int buffer_create(int fd, create_buffer_request *request) {
  const int refusal = request->type == BUFFER_HEAP ? 0 : npu_device_take_buffer(driver_device);
  if (refusal != 0) return refusal;
  if (request->type < BUFFER_SHARED || request->type > BUFFER_COMMAND) return EINVAL;
  uint32_t handle = 1;
  while (handle < DRIVER_BUFFERS && buffers[handle].type != 0) handle++;
  if (handle == DRIVER_BUFFERS) return ENOMEM;
  driver_buffer *buffer = &buffers[handle];
  *buffer = (driver_buffer){.type = (int)request->type,
                            .fd = fd,
                            .size = (request->size + PAGE - 1) / PAGE * PAGE,
                            .wanted = request->size,
                            .map_offset = NO_OFFSET};
  int failure = EINVAL;
  if (request->user_table != 0) failure = use_user_memory(buffer, (const user_memory *)(uintptr_t)request->user_table);
  else if (buffer->size > 0) failure = request->type == BUFFER_DEVICE ? take_from_heap(buffer) : map_shared(buffer);
  if (failure != 0) buffer->type = 0;
  request->handle = handle;
  return failure;
}

int buffer_describe(buffer_info_request *request) {
  const driver_buffer *buffer = buffer_named(request->handle);
  if (buffer == NULL) return ENOENT;
  request->map_offset = buffer->map_offset;
  request->address = 0;
  request->device_address = buffer->address;
  return 0;
}

int buffer_close(uint32_t handle) {
  driver_buffer *buffer = buffer_named(handle);
  if (buffer == NULL) return EINVAL;
  if (buffer->type == BUFFER_HEAP) heap_size -= buffer->size;
  if (buffer->map_offset != NO_OFFSET) {
    munmap(buffer->bytes, buffer->size);
    fallocate(buffer->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)buffer->map_offset, (off_t)buffer->size);
  }
  buffer->type = 0;
  return 0;
}

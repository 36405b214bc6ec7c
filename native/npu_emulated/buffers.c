#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../cpu/memory.h"
#include "objects.h"

/* As the kernel's pages; buffers lie this far apart, so that none runs into the next. */
enum { PAGE = 4096 };

/* The heap that instruction buffers are parts of, as the driver library makes it. */
#define INSTRUCTION_HEAP (64ull << 20)

static void free_buffer(handle_object *object) {
  buffer_object *buffer = (buffer_object *)object;
  memory_free(buffer->bytes);
  memory_free(buffer->memory);
  object_release(&buffer->device->object);
  free(buffer);
}

static int32_t check(const kernel_object *kernel, uint32_t argument, int32_t kind, uint64_t size, error_sink error) {
  if (argument >= (uint32_t)kernel->kernel->argument_count || !kernel->kernel->arguments[argument].is_buffer)
    return fail(error, SOTTO_XRT_INVALID_ARGUMENT,
                "Cannot make a buffer for argument %u: kernel %s has no buffer there (it has %d arguments)", argument,
                kernel->kernel->name, kernel->kernel->argument_count);
  if (kind != SOTTO_XRT_HOST && kind != SOTTO_XRT_INSTRUCTIONS)
    return fail(error, SOTTO_XRT_INVALID_ARGUMENT, "Cannot make a buffer of kind %d: 1 (host) or 2 (instructions)",
                kind);
  if (size == 0) return fail(error, SOTTO_XRT_INVALID_ARGUMENT, "Cannot make a buffer of 0 bytes");
  if (kind == SOTTO_XRT_INSTRUCTIONS && size > INSTRUCTION_HEAP)
    return fail(error, SOTTO_XRT_BUFFER_REFUSED, "The NPU's heap of 64 MiB has no room for %llu bytes of instructions",
                (unsigned long long)size);
  return SOTTO_XRT_OK;
}

static int32_t allocate(buffer_object *buffer, error_sink error) {
  const int refusal = npu_device_take_buffer(buffer->device->npu);
  if (refusal == ENODEV) return fail(error, SOTTO_XRT_DEVICE_LOST, "The NPU is lost: no buffer can be made (modelled)");
  if (refusal != 0)
    return fail(error, SOTTO_XRT_BUFFER_REFUSED, "The driver refused a buffer of %llu bytes (err=-%d) (modelled)",
                (unsigned long long)buffer->size, refusal);
  if (buffer->size > SIZE_MAX / 2) return fail_memory(error, "a buffer");
  buffer->bytes = memory_allocate((size_t)buffer->size);
  buffer->memory = memory_allocate((size_t)buffer->size);
  if (buffer->bytes == NULL || buffer->memory == NULL) return fail_memory(error, "a buffer");
  memset(buffer->bytes, 0, (size_t)buffer->size);
  memset(buffer->memory, 0, (size_t)buffer->size);
  const uint64_t span = (buffer->size + 2 * PAGE - 1) / PAGE * PAGE;
  buffer->address = atomic_fetch_add(&buffer->device->next_address, span);
  return SOTTO_XRT_OK;
}

int32_t sotto_xrt_buffer_create(uint64_t kernel, uint32_t argument, int32_t kind, uint64_t size, uint64_t *buffer,
                                char *error, size_t error_capacity) {
  const error_sink sink = {error, error_capacity};
  kernel_object *owner = (kernel_object *)handle_acquire(kernel, HANDLE_NPU_KERNEL);
  if (owner == NULL) return fail_handle(sink, "a kernel");
  int32_t status = check(owner, argument, kind, size, sink);
  buffer_object *object = status != SOTTO_XRT_OK ? NULL : object_create(sizeof *object, HANDLE_NPU_BUFFER, free_buffer);
  if (object != NULL) {
    object->device = device_of(owner->context);
    object_retain(&object->device->object);
    object->kind = kind;
    object->size = size;
    status = allocate(object, sink);
    if (status != SOTTO_XRT_OK) free_buffer(&object->object);
    else status = object_enter(&object->object, buffer, sink);
  } else if (status == SOTTO_XRT_OK) {
    status = fail_memory(sink, "a buffer");
  }
  object_release(&owner->object);
  return status;
}

int32_t sotto_xrt_buffer_map(uint64_t buffer, uint64_t *address, uint64_t *size, char *error, size_t error_capacity) {
  buffer_object *object = (buffer_object *)handle_acquire(buffer, HANDLE_NPU_BUFFER);
  if (object == NULL) return fail_handle((error_sink){error, error_capacity}, "a buffer");
  *address = (uint64_t)(uintptr_t)object->bytes;
  *size = object->size;
  object_release(&object->object);
  return SOTTO_XRT_OK;
}

/* The buffer, if it has the range; else status and text. */
static int32_t acquire_range(uint64_t buffer, uint64_t offset, uint64_t length, buffer_object **object,
                             error_sink error) {
  *object = (buffer_object *)handle_acquire(buffer, HANDLE_NPU_BUFFER);
  if (*object == NULL) return fail_handle(error, "a buffer");
  const uint64_t size = (*object)->size;
  if (offset <= size && length <= size - offset) return SOTTO_XRT_OK;
  object_release(&(*object)->object);
  return fail(error, SOTTO_XRT_INVALID_ARGUMENT, "Cannot reach %llu bytes at %llu: the buffer has %llu",
              (unsigned long long)length, (unsigned long long)offset, (unsigned long long)size);
}

int32_t sotto_xrt_buffer_write(uint64_t buffer, uint64_t offset, const uint8_t *bytes, size_t bytes_length, char *error,
                               size_t error_capacity) {
  buffer_object *object;
  const int32_t status = acquire_range(buffer, offset, bytes_length, &object, (error_sink){error, error_capacity});
  if (status != SOTTO_XRT_OK) return status;
  if (bytes_length > 0) {
    memcpy(object->bytes + offset, bytes, bytes_length);
    memcpy(object->memory + offset, bytes, bytes_length);
  }
  atomic_fetch_add(&object->device->bytes_written, bytes_length);
  atomic_fetch_add(&object->device->bytes_synced, bytes_length);
  object_release(&object->object);
  return SOTTO_XRT_OK;
}

int32_t sotto_xrt_buffer_read(uint64_t buffer, uint64_t offset, uint8_t *bytes, size_t bytes_length, char *error,
                              size_t error_capacity) {
  buffer_object *object;
  const int32_t status = acquire_range(buffer, offset, bytes_length, &object, (error_sink){error, error_capacity});
  if (status != SOTTO_XRT_OK) return status;
  if (bytes_length > 0) {
    memcpy(object->bytes + offset, object->memory + offset, bytes_length);
    memcpy(bytes, object->memory + offset, bytes_length);
  }
  atomic_fetch_add(&object->device->bytes_read, bytes_length);
  atomic_fetch_add(&object->device->bytes_synced, bytes_length);
  object_release(&object->object);
  return SOTTO_XRT_OK;
}

static int32_t sync_range(uint64_t buffer, uint64_t offset, uint64_t length, int to_device, error_sink error) {
  buffer_object *object;
  const int32_t status = acquire_range(buffer, offset, length, &object, error);
  if (status != SOTTO_XRT_OK) return status;
  if (to_device) memcpy(object->memory + offset, object->bytes + offset, length);
  else memcpy(object->bytes + offset, object->memory + offset, length);
  atomic_fetch_add(&object->device->bytes_synced, length);
  object_release(&object->object);
  return SOTTO_XRT_OK;
}

int32_t sotto_xrt_buffer_sync_to_device(uint64_t buffer, uint64_t offset, uint64_t length, char *error,
                                        size_t error_capacity) {
  return sync_range(buffer, offset, length, 1, (error_sink){error, error_capacity});
}

int32_t sotto_xrt_buffer_sync_from_device(uint64_t buffer, uint64_t offset, uint64_t length, char *error,
                                          size_t error_capacity) {
  return sync_range(buffer, offset, length, 0, (error_sink){error, error_capacity});
}

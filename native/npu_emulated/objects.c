#include "objects.h"

#include <stdlib.h>

void *object_create(size_t size, handle_kind kind, void (*free_object)(handle_object *)) {
  handle_object *object = calloc(1, size);
  if (object == NULL) return NULL;
  object->kind = kind;
  object->free_object = free_object;
  return object;
}

int32_t fail_handle(error_sink error, const char *what) {
  return fail(error, SOTTO_XRT_INVALID_HANDLE, "Not a handle of %s, or destroyed already", what);
}

int32_t fail_memory(error_sink error, const char *what) {
  return fail(error, SOTTO_XRT_OUT_OF_MEMORY, "There is no memory for %s", what);
}

int32_t object_enter(handle_object *object, uint64_t *handle, error_sink error) {
  *handle = handle_enter(object);
  if (*handle != 0) return SOTTO_XRT_OK;
  object->free_object(object);
  return fail_memory(error, "a handle");
}

int32_t sotto_xrt_destroy(uint64_t handle) { return handle_destroy(handle) ? SOTTO_XRT_OK : SOTTO_XRT_INVALID_HANDLE; }

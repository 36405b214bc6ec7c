#if defined(__linux__)
#define _GNU_SOURCE
#endif
#include "mapped_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dtype.h"
#include "memory.h"

static void free_file(handle_object *object) {
  mapped_file *file = (mapped_file *)object;
  if (file->is_mapped)
    munmap((void *)file->bytes, file->length);
  else
    memory_free((void *)file->bytes);
  free(file);
}

/* Enters a file that owns `bytes`; gives them back where that fails. */
static int32_t enter_file(const uint8_t *bytes, size_t length, int is_mapped, uint64_t *handle, error_sink error) {
  mapped_file *file = malloc(sizeof *file);
  if (file != NULL) {
    *file = (mapped_file){.object = {.kind = HANDLE_FILE, .free_object = free_file},
                          .bytes = bytes,
                          .length = length,
                          .is_mapped = is_mapped};
    *handle = handle_enter(&file->object);
    if (*handle != 0) return SOTTO_OK;
    free(file);
  }
  if (is_mapped)
    munmap((void *)bytes, length);
  else
    memory_free((void *)bytes);
  return fail(error, SOTTO_OUT_OF_MEMORY, "Cannot keep a file because memory was refused");
}

int32_t sotto_cpu_file_open(const char *path, size_t path_length, uint64_t *file, char *text, size_t text_capacity) {
  error_sink error = {text, text_capacity};
  if (path == NULL || path_length == 0 || file == NULL)
    return fail(error, SOTTO_INVALID_ARGUMENT, "Cannot open a file because no path was given");
  *file = 0;
  char *terminated = malloc(path_length + 1);
  if (terminated == NULL) return fail(error, SOTTO_OUT_OF_MEMORY, "Cannot open a file because memory was refused");
  memcpy(terminated, path, path_length);
  terminated[path_length] = '\0';

  int32_t status;
  struct stat facts;
  int descriptor = open(terminated, O_RDONLY | O_CLOEXEC);
  if (memchr(path, '\0', path_length) != NULL) {
    status = fail(error, SOTTO_INVALID_ARGUMENT, "Cannot open a file because its path holds a zero byte");
  } else if (descriptor < 0) {
    status = fail(error, SOTTO_IO, "Cannot open %s: %s", terminated, strerror(errno));
  } else if (fstat(descriptor, &facts) != 0) {
    status = fail(error, SOTTO_IO, "Cannot read the size of %s: %s", terminated, strerror(errno));
  } else if (!S_ISREG(facts.st_mode)) {
    status = fail(error, SOTTO_IO, "Cannot map %s because it is not a regular file", terminated);
  } else if (facts.st_size == 0) {
    status = fail(error, SOTTO_IO, "Cannot map %s because it is empty", terminated);
  } else {
    void *bytes = mmap(NULL, (size_t)facts.st_size, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (bytes == MAP_FAILED)
      status = fail(error, SOTTO_IO, "Cannot map %s: %s", terminated, strerror(errno));
    else
      status = enter_file(bytes, (size_t)facts.st_size, 1, file, error);
  }
  if (descriptor >= 0) close(descriptor);
  free(terminated);
  return status;
}

int32_t sotto_cpu_file_copy(const uint8_t *bytes, size_t bytes_length, uint64_t *file, char *text,
                            size_t text_capacity) {
  error_sink error = {text, text_capacity};
  if ((bytes == NULL && bytes_length > 0) || file == NULL)
    return fail(error, SOTTO_INVALID_ARGUMENT, "Cannot copy bytes because none were given: got length %zu",
                bytes_length);
  *file = 0;
  uint8_t *copy = memory_allocate(bytes_length);
  if (copy == NULL)
    return fail(error, SOTTO_OUT_OF_MEMORY, "Cannot copy bytes because memory for %zu was refused", bytes_length);
  if (bytes_length > 0) memcpy(copy, bytes, bytes_length);
  return enter_file(copy, bytes_length, 0, file, error);
}

int32_t weight_resolve(const uint64_t words[SOTTO_WEIGHT_WORDS], int64_t elements, stored_weight *out,
                       error_sink error) {
  uint64_t offset = words[1], stored = words[3];
  const dtype_block *block = words[2] <= INT32_MAX ? dtype_describe((int64_t)words[2]) : NULL;
  if (block == NULL)
    return fail(error, SOTTO_INVALID_ARGUMENT, "Cannot read a weight because its dtype is unknown: got %" PRIu64,
                words[2]);
  if (elements <= 0 || stored != (uint64_t)elements)
    return fail(error, SOTTO_INVALID_ARGUMENT,
                "Cannot read a weight because it must have %" PRId64 " elements: got %" PRIu64, elements, stored);
  if (stored % (uint64_t)block->elements != 0)
    return fail(error, SOTTO_INVALID_ARGUMENT,
                "Cannot read a weight because %s comes in blocks of %d: got %" PRIu64 " elements", block->name,
                block->elements, stored);
  uint64_t blocks = stored / (uint64_t)block->elements;
  mapped_file *file = (mapped_file *)handle_acquire(words[0], HANDLE_FILE);
  if (file == NULL) return fail(error, SOTTO_INVALID_HANDLE, "Cannot read a weight because its file is not open");
  if (offset > file->length || blocks > (file->length - offset) / (uint64_t)block->bytes) {
    int32_t status = fail(error, SOTTO_INVALID_ARGUMENT,
                          "Cannot read a weight because it must lie inside its file of %zu bytes: got %" PRIu64
                          " %s elements at byte %" PRIu64,
                          file->length, stored, block->name, offset);
    object_release(&file->object);
    return status;
  }
  *out = (stored_weight){.file = file,
                         .bytes = file->bytes + offset,
                         .length = (size_t)(blocks * (uint64_t)block->bytes),
                         .dtype = (int32_t)words[2],
                         .elements = elements};
  return SOTTO_OK;
}

void weight_release(stored_weight *weight) {
  if (weight->file != NULL) object_release(&weight->file->object);
  weight->file = NULL;
}

void weight_to_f32(const stored_weight *weight, int64_t begin, int64_t count, float *out) {
  const dtype_block *block = dtype_describe(weight->dtype);
  dtype_to_f32(weight->dtype, weight->bytes + begin / block->elements * block->bytes, count, out);
}

void weight_forget(const stored_weight *weight) {
  if (weight->file == NULL || !weight->file->is_mapped) return;
  const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
  const uintptr_t begin = ((uintptr_t)weight->bytes + page - 1) / page * page;
  const uintptr_t end = ((uintptr_t)weight->bytes + weight->length) / page * page;
  if (begin < end) madvise((void *)begin, end - begin, MADV_DONTNEED);
}

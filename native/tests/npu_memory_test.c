/* Refuses memory to the emulated NPU's library, one allocation after the other: every call answers with a status, and nothing
 * is lost. Linked with --wrap, so that only the library's own allocations are counted.
 *
 *     npu_memory_test <xclbin> <stream> <bytes of argument 3> <of 4> …
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "../include/sotto_xrt.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void __real_free(void *memory);

static atomic_long allocations, live, fails_at; /* fails_at 0: never */

static int is_refused(void) { return atomic_fetch_add(&allocations, 1) + 1 == atomic_load(&fails_at); }

static void *counted(void *memory) {
  if (memory != NULL) atomic_fetch_add(&live, 1);
  return memory;
}

void *__wrap_malloc(size_t size) { return is_refused() ? NULL : counted(__real_malloc(size)); }

void *__wrap_calloc(size_t count, size_t size) { return is_refused() ? NULL : counted(__real_calloc(count, size)); }

void *__wrap_aligned_alloc(size_t alignment, size_t size) {
  return is_refused() ? NULL : counted(__real_aligned_alloc(alignment, size));
}

void *__wrap_realloc(void *old, size_t size) {
  if (is_refused()) return NULL;
  return old == NULL ? counted(__real_realloc(old, size)) : __real_realloc(old, size);
}

void __wrap_free(void *memory) {
  if (memory != NULL) atomic_fetch_sub(&live, 1);
  __real_free(memory);
}

typedef struct {
  const uint8_t *xclbin;
  size_t xclbin_size;
  const uint8_t *stream;
  size_t stream_size;
  int buffers;
  char **sizes;
} scenario;

#define TEXT text, sizeof text
#define DO(CALL) \
  if (status == 0) status = (CALL)

/* Opens, runs, lists, and frees all it made, whatever failed. The first status that is not 0. */
static int32_t play(const scenario *given) {
  enum { MOST = 16 };
  char text[256];
  uint64_t made[MOST + 8] = {0}, *device = &made[0], *overlay = &made[1], *context = &made[2], *kernel = &made[3];
  uint64_t *code = &made[4], *run = &made[5], *list = &made[6], *buffers = &made[7];
  int32_t status = 0, state, failed;
  DO(sotto_xrt_device_open(0, device, TEXT));
  DO(sotto_xrt_overlay_register(*device, given->xclbin, given->xclbin_size, overlay, TEXT));
  DO(sotto_xrt_context_create(*overlay, context, TEXT));
  DO(sotto_xrt_kernel_open(*context, "MLIR_AIE", 8, kernel, TEXT));
  DO(sotto_xrt_buffer_create(*kernel, 1, SOTTO_XRT_INSTRUCTIONS, given->stream_size, code, TEXT));
  DO(sotto_xrt_buffer_write(*code, 0, given->stream, given->stream_size, TEXT));
  DO(sotto_xrt_run_create(*kernel, run, TEXT));
  DO(sotto_xrt_run_set_scalar(*run, 0, 3, TEXT));
  DO(sotto_xrt_run_set_buffer(*run, 1, *code, TEXT));
  DO(sotto_xrt_run_set_scalar(*run, 2, given->stream_size / 4, TEXT));
  for (int i = 0; i < given->buffers && i < MOST; i++) {
    const uint64_t size = (uint64_t)atoll(given->sizes[i]);
    DO(sotto_xrt_buffer_create(*kernel, (uint32_t)(3 + i), SOTTO_XRT_HOST, size, &buffers[i], TEXT));
    DO(sotto_xrt_run_set_buffer(*run, (uint32_t)(3 + i), buffers[i], TEXT));
  }
  DO(sotto_xrt_run_start(*run, TEXT));
  DO(sotto_xrt_run_wait(*run, 0, &state, TEXT));
  DO(sotto_xrt_runlist_create(*context, list, TEXT));
  DO(sotto_xrt_runlist_add(*list, *run, TEXT));
  DO(sotto_xrt_runlist_start(*list, TEXT));
  DO(sotto_xrt_runlist_wait(*list, 0, &failed, TEXT));
  for (int i = 0; i < MOST + 8; i++)
    if (made[i] != 0) sotto_xrt_destroy(made[i]);
  return status;
}

static uint8_t *read_file(const char *path, size_t *size) {
  FILE *file = fopen(path, "rb");
  if (file == NULL) exit(2);
  fseek(file, 0, SEEK_END);
  *size = (size_t)ftell(file);
  rewind(file);
  uint8_t *bytes = __real_malloc(*size);
  if (fread(bytes, 1, *size, file) != *size) exit(2);
  fclose(file);
  return bytes;
}

int main(int argc, char **argv) {
  if (argc < 4) return 2;
  scenario given = {.buffers = argc - 3, .sizes = argv + 3};
  given.xclbin = read_file(argv[1], &given.xclbin_size);
  given.stream = read_file(argv[2], &given.stream_size);
  char text[256];
  sotto_xrt_model_configure("device=strix,threads=2", 22, TEXT);
  if (play(&given) != 0) return 2; /* also makes the table of handles, which stays */
  const long kept = atomic_load(&live), all = atomic_load(&allocations);
  int failures = 0;
  for (long n = 1; n <= all; n++) {
    atomic_store(&allocations, 0);
    atomic_store(&fails_at, n);
    const int32_t status = play(&given);
    atomic_store(&fails_at, 0);
    /* In the middle of a command, the command fails. */
    const int is_right = status == SOTTO_XRT_OUT_OF_MEMORY || status == SOTTO_XRT_COMMAND_ERROR || status == 0;
    if (is_right && atomic_load(&live) == kept) continue;
    printf("FAIL without allocation %ld: status %d, %ld blocks lost\n", n, status, atomic_load(&live) - kept);
    failures++;
    atomic_store(&live, kept);
  }
  printf("%s each of %ld allocations was refused once\n", failures == 0 ? "ok  " : "FAIL", all);
  return failures > 0;
}

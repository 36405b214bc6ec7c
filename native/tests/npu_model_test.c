/* Tests the NPU's model from inside and its emulated library through the interface: variants of the products, hostile overlays,
 * containers and instruction streams, several threads on one device.
 *
 *     npu_model_test <xclbin> <stream> <bytes of argument 3> <of 4> …     (the last is what the stream writes)
 *
 * Prints a line a test; ends with 1 if one fails. To be run with sanitizers: buffers are exactly as large as they say. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../axlf/axlf.h"
#include "../include/sotto_xrt.h"
#include "../npu_model/model.h"
#include "../npu_model/products.h"
#include "../npu_model/settings.h"
#include "../npu_model/sha256.h"

static int failures;

static void expect(int condition, const char *what) {
  printf("%s %s\n", condition ? "ok  " : "FAIL", what);
  failures += !condition;
}

static uint32_t next_random(void) {
  static uint32_t state = 1;
  state = state * 1664525 + 1013904223;
  return state ^ state >> 15;
}

/* ---- sha256 ---- */

static int has_digest(const char *bytes, size_t length, const char *hex) {
  uint8_t digest[32];
  char text[65];
  sha256((const uint8_t *)bytes, length, digest);
  for (int i = 0; i < 32; i++) snprintf(text + 2 * i, 3, "%02x", digest[i]);
  return strcmp(text, hex) == 0;
}

static void test_sha256(void) {
  /* FIPS 180-4's own examples, and the empty text. */
  expect(has_digest("abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"), "sha256 of 3 bytes");
  expect(has_digest("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56,
                    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"),
         "sha256 of 56 bytes");
  expect(has_digest("", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"), "sha256 of nothing");
}

/* ---- products ---- */

enum { DEPTH = 37, COLUMNS = 32 };

/* The first COLUMNS columns of a product by a variant. */
static void multiply(const product_kernels *kernels, const uint32_t *a, const uint32_t *b, int is_float, uint32_t *c) {
  uint32_t packed[DEPTH * PRODUCT_MAX_WIDTH], block[PRODUCT_ROWS * PRODUCT_MAX_WIDTH];
  for (int at = 0; at < COLUMNS; at += kernels->width) {
    for (int k = 0; k < DEPTH; k++)
      memcpy(packed + k * kernels->width, b + k * COLUMNS + at, 4 * (size_t)kernels->width);
    if (is_float) kernels->f32((const float *)a, DEPTH, (const float *)packed, DEPTH, (float *)block);
    else kernels->i32((const int32_t *)a, DEPTH, (const int32_t *)packed, DEPTH, (int32_t *)block);
    for (int row = 0; row < PRODUCT_ROWS; row++)
      memcpy(c + row * COLUMNS + at, block + row * kernels->width, 4 * (size_t)kernels->width);
  }
}

/* Whether a variant gives the plain one's bits. */
static int is_like_plain(const product_kernels *kernels) {
  int same = 1;
  for (int round = 0; round < 200; round++) {
    uint32_t a[PRODUCT_ROWS * DEPTH], b[DEPTH * COLUMNS], plain[PRODUCT_ROWS * COLUMNS], fast[PRODUCT_ROWS * COLUMNS];
    /* Exponents within 2^-30…2^33, signs and mantissas at random. */
    for (size_t i = 0; i < sizeof a / 4; i++) a[i] = (next_random() & 0x9fffffff) | 0x30000000;
    for (size_t i = 0; i < sizeof b / 4; i++) b[i] = (next_random() & 0x9fffffff) | 0x30000000;
    for (int is_float = 0; is_float < 2; is_float++) {
      multiply(&products_ref, a, b, is_float, plain);
      multiply(kernels, a, b, is_float, fast);
      same &= memcmp(plain, fast, sizeof plain) == 0;
    }
  }
  return same;
}

static void test_products(void) {
  const product_kernels *best = products();
  printf("     the best variant of the products is %s\n", best->name);
  expect(is_like_plain(best), "it gives the plain one's bits");
#if defined(__x86_64__)
  if (best == &products_avx512) expect(is_like_plain(&products_avx2), "so does avx2");
#endif
}

/* ---- hostile texts, containers, streams ---- */

static void test_overlay_texts(const uint8_t *pdi, size_t size) {
  npu_overlay overlay;
  int known = 0;
  expect(npu_overlay_read(&overlay, pdi, size, (error_sink){NULL, 0}) == SOTTO_OK && overlay.generation != 0,
         "the overlay is understood");
  for (int i = 0; i < 20000; i++) {
    uint8_t *copy = malloc(size);
    memcpy(copy, pdi, size);
    for (uint32_t n = next_random() % 4 + 1; n > 0; n--)
      copy[18 + next_random() % (size - 18)] = (uint8_t)(next_random() % 96 + 32);
    char text[160];
    known += npu_overlay_read(&overlay, copy, next_random() % size + 1, (error_sink){text, sizeof text}) == SOTTO_OK;
    free(copy);
  }
  expect(known < 20000, "most mutations of an overlay's text are refused, none harms");
  npu_settings settings;
  for (int i = 0; i < 20000; i++) {
    char text[40];
    const char *letters = "context=buffer@+,123hanglostslowmemlock;";
    for (size_t j = 0; j < sizeof text; j++) text[j] = letters[next_random() % 40];
    npu_settings_read(&settings, text, sizeof text, (error_sink){NULL, 0});
  }
  expect(
      npu_settings_read(&settings, "device=strix,hang@3+,context=16,slow=5", 38, (error_sink){NULL, 0}) == SOTTO_OK &&
          settings.kind->generation == 2 && settings.hang.goes_on && settings.hang.first == 3,
      "settings are understood");
  expect(npu_settings_read(&settings, "hang@0", 6, (error_sink){NULL, 0}) != SOTTO_OK,
         "a call before the first is refused");
}

static void test_containers(const uint8_t *bytes, size_t size) {
  xclbin_file file;
  int taken = 0;
  for (int i = 0; i < 50000; i++) {
    const size_t length = next_random() % 3 == 0 ? next_random() % size : size;
    uint8_t *copy = malloc(length == 0 ? 1 : length);
    memcpy(copy, bytes, length);
    for (uint32_t n = next_random() % 4 + 1; n > 0 && length > 0; n--)
      copy[next_random() % 4 == 0               ? next_random() % length
           : 300 + next_random() % 700 < length ? 300 + next_random() % 700 % (length - 300)
                                                : 0] = (uint8_t)next_random();
    if (length >= 312 && next_random() % 2 == 0) memcpy(copy + 304, &(uint64_t){length}, 8); /* a header that agrees */
    char text[160];
    if (axlf_read(&file, copy, length, (error_sink){text, sizeof text}) == SOTTO_OK) {
      /* What it points to is inside the bytes. */
      taken += file.pdi >= copy && file.pdi + file.pdi_size <= copy + length && file.pdi_size > 0;
    }
    free(copy);
  }
  printf("     %d mutations of the container were harmless\n", taken);
  expect(axlf_read(&file, bytes, size, (error_sink){NULL, 0}) == SOTTO_OK, "the container is read");
}

typedef struct {
  npu_argument arguments[NPU_MAX_ARGUMENTS];
  int count;
} fixture;

static void test_streams(const npu_overlay *overlay, const uint32_t *words, size_t count, const fixture *given) {
  npu_events events;
  char text[200];
  const error_sink error = {text, sizeof text};
  thread_pool *pool = pool_create(1);
  expect(npu_model_run(overlay, &npu_clock_xdna2, words, count, given->arguments, given->count, pool, &events, error) ==
             NPU_COMPLETED,
         "the stream completes");
  expect(events.bytes_in > 0 && events.bytes_out > 0 && events.operations > 0 && events.nanoseconds > 0,
         "its events are counted");
  int completed = 0, refused = 0, hung = 0;
  for (int i = 0; i < 20000; i++) {
    const size_t length = next_random() % 8 == 0 ? next_random() % count + 1 : count;
    uint32_t *copy = malloc(4 * length);
    memcpy(copy, words, 4 * length);
    for (uint32_t n = next_random() % 3 + 1; n > 0; n--) {
      uint32_t *word = &copy[next_random() % length];
      const uint32_t how = next_random() % 4;
      *word = how == 0   ? next_random()
              : how == 1 ? *word ^ 1u << next_random() % 32
              : how == 2 ? words[next_random() % count]
                         : next_random() % 256;
    }
    if (length > 3 && next_random() % 2 == 0) copy[3] = (uint32_t)(4 * length);
    const npu_outcome outcome = npu_model_run(overlay, &npu_clock_xdna2, copy, length, given->arguments, given->count,
                                              pool, &events, error);
    completed += outcome == NPU_COMPLETED;
    refused += outcome == NPU_ERROR;
    hung += outcome == NPU_HUNG;
    free(copy);
  }
  printf("     of 20000 mutated streams %d completed, %d were refused, %d hung\n", completed, refused, hung);
  expect(completed + refused + hung == 20000 && refused > 10000,
         "mutated streams end, and touch nothing that is not theirs");
  pool_destroy(pool);
}

/* ---- the interface, from several threads ---- */

#define TEXT text, sizeof text

typedef struct {
  uint64_t kernel;
  const uint32_t *words;
  size_t count;
  const fixture *given;
  int is_right;
} worker_job;

static void *run_often(void *argument) {
  worker_job *job = argument;
  char text[256];
  job->is_right = 1;
  for (int i = 0; i < 20; i++) {
    uint64_t run, code, buffers[NPU_MAX_ARGUMENTS];
    int32_t state = 0, wrong = 0;
    wrong |= sotto_xrt_run_create(job->kernel, &run, TEXT);
    wrong |= sotto_xrt_buffer_create(job->kernel, 1, SOTTO_XRT_INSTRUCTIONS, 4 * job->count, &code, TEXT);
    wrong |= sotto_xrt_buffer_write(code, 0, (const uint8_t *)job->words, 4 * job->count, TEXT);
    wrong |= sotto_xrt_run_set_scalar(run, 0, 3, TEXT) | sotto_xrt_run_set_buffer(run, 1, code, TEXT) |
             sotto_xrt_run_set_scalar(run, 2, job->count, TEXT);
    for (int k = 0; k < job->given->count; k++) {
      wrong |= sotto_xrt_buffer_create(job->kernel, (uint32_t)(3 + k), SOTTO_XRT_HOST, job->given->arguments[k].size,
                                       &buffers[k], TEXT);
      wrong |= sotto_xrt_run_set_buffer(run, (uint32_t)(3 + k), buffers[k], TEXT);
    }
    wrong |= sotto_xrt_run_start(run, TEXT);
    if (i % 2 == 0) wrong |= sotto_xrt_run_wait(run, 0, &state, TEXT);
    for (int k = 0; k < job->given->count; k++) wrong |= sotto_xrt_destroy(buffers[k]);
    wrong |= sotto_xrt_destroy(code) | sotto_xrt_destroy(run); /* every second one while it is under way */
    if (wrong != 0 || (i % 2 == 0 && state != SOTTO_XRT_RUN_COMPLETED)) job->is_right = 0;
  }
  return NULL;
}

static void test_threads(const uint8_t *bytes, size_t size, const uint32_t *words, size_t count, const fixture *given) {
  enum { THREADS = 4 };
  char text[256];
  uint64_t device, overlay, context, kernel, counters[SOTTO_XRT_COUNTERS];
  expect(sotto_xrt_model_configure("device=strix", 12, TEXT) == 0 && sotto_xrt_device_open(0, &device, TEXT) == 0 &&
             sotto_xrt_overlay_register(device, bytes, size, &overlay, TEXT) == 0 &&
             sotto_xrt_context_create(overlay, &context, TEXT) == 0 &&
             sotto_xrt_kernel_open(context, "MLIR_AIE", 8, &kernel, TEXT) == 0,
         "a kernel is opened");
  worker_job jobs[THREADS];
  pthread_t threads[THREADS];
  int right = 1;
  for (int i = 0; i < THREADS; i++) {
    jobs[i] = (worker_job){.kernel = kernel, .words = words, .count = count, .given = given};
    pthread_create(&threads[i], NULL, run_often, &jobs[i]);
  }
  for (int i = 0; i < THREADS; i++) {
    pthread_join(threads[i], NULL);
    right &= jobs[i].is_right;
  }
  expect(right, "several threads run one kernel");
  expect(sotto_xrt_counters(device, counters, SOTTO_XRT_COUNTERS, TEXT) == 0 &&
             counters[SOTTO_XRT_COUNT_LAUNCHES] == 20 * THREADS,
         "every launch is counted");
  expect(
      sotto_xrt_destroy(device) + sotto_xrt_destroy(overlay) + sotto_xrt_destroy(context) + sotto_xrt_destroy(kernel) ==
          0,
      "all is freed, the device first");
}

static uint8_t *read_file(const char *path, size_t *size) {
  FILE *file = fopen(path, "rb");
  if (file == NULL) exit(2);
  fseek(file, 0, SEEK_END);
  *size = (size_t)ftell(file);
  rewind(file);
  uint8_t *bytes = malloc(*size);
  if (fread(bytes, 1, *size, file) != *size) exit(2);
  fclose(file);
  return bytes;
}

int main(int argc, char **argv) {
  if (argc < 4) return 2;
  size_t size, stream_size;
  uint8_t *bytes = read_file(argv[1], &size), *stream = read_file(argv[2], &stream_size);
  fixture given = {.count = argc - 3};
  for (int i = 0; i < given.count; i++) {
    const size_t length = (size_t)atoll(argv[3 + i]);
    given.arguments[i] = (npu_argument){calloc(length, 1), length, (uint64_t)(i + 1) << 36};
  }
  test_sha256();
  test_products();
  test_containers(bytes, size);
  xclbin_file file;
  npu_overlay overlay;
  if (axlf_read(&file, bytes, size, (error_sink){NULL, 0}) != SOTTO_OK) return 1;
  test_overlay_texts(file.pdi, file.pdi_size);
  if (npu_overlay_read(&overlay, file.pdi, file.pdi_size, (error_sink){NULL, 0}) != SOTTO_OK) return 1;
  test_streams(&overlay, (const uint32_t *)stream, stream_size / 4, &given);
  test_threads(bytes, size, (const uint32_t *)stream, stream_size / 4, &given);
  for (int i = 0; i < given.count; i++) free(given.arguments[i].bytes);
  free(bytes);
  free(stream);
  return failures > 0;
}

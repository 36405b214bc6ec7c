/* Tests the library through its interface alone: handles, files and number formats, plans that are wrong, a small plan
 * that is right, cancelling, and calls from several threads. Prints a line a test; ends with 1 if one fails. */
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../cpu/dtype.h"
#include "../cpu/threads.h"
#include "../include/sotto_cpu.h"

void test_placement(void (*expect)(int condition, const char *what)); /* test_placement.c */
void test_scratch(void (*expect)(int condition, const char *what));   /* test_scratch.c */

static int failures;
static char text[512];

static void expect(int condition, const char *what) {
  printf("%s %s%s%s\n", condition ? "ok  " : "FAIL", what, condition ? "" : ": ", condition ? "" : text);
  failures += !condition;
}

#define TEXT text, sizeof text

static uint64_t new_context(int threads) {
  uint64_t context = 0;
  sotto_cpu_context_create(threads, "", 0, &context, TEXT);
  return context;
}

/* ---- A plan of one norm and one product: [T, C] → norm → product with two parts → [T, N0 + N1]. */

enum { T = 37, C = 24, N0 = 20, N1 = 13, BUFFERS = 3, WEIGHTS = 5, STEPS = 2 };

typedef struct {
  int64_t buffers[BUFFERS * 3];
  uint64_t weights[WEIGHTS * SOTTO_WEIGHT_WORDS];
  int64_t steps[STEPS * SOTTO_STEP_WORDS];
  int64_t arena;
  float values[2 * C + (N0 + N1) * C + N1]; /* norm weight, norm bias, matrix 0, matrix 1, bias 1 */
} small_plan;

static const int64_t weight_sizes[WEIGHTS] = {C, C, N0 * C, N1 *C, N1};

static void describe_plan(small_plan *p) {
  memset(p, 0, sizeof *p);
  for (size_t i = 0; i < sizeof p->values / sizeof *p->values; i++) p->values[i] = (float)(i * 37 % 101) / 101 - 0.5f;
  const int64_t buffers[] = {0, T, C, 1024, T, C, 2048, T, N0 + N1};
  memcpy(p->buffers, buffers, sizeof buffers);
  p->arena = 2048 + T * (N0 + N1);
  const int64_t norm[] = {SOTTO_OP_LAYERNORM, 0, 1, 0, 1, T, C};
  const int64_t product[] = {SOTTO_OP_GEMM, 1, 2, -1, T, C, 1, 2, 2, -1, N0, 3, 4, N1};
  memcpy(p->steps, norm, sizeof norm);
  memcpy(p->steps + SOTTO_STEP_WORDS, product, sizeof product);
}

static int32_t create_plan(uint64_t context, small_plan *p, uint64_t *plan) {
  uint64_t file = 0, offset = 0;
  sotto_cpu_file_copy((const uint8_t *)p->values, sizeof p->values, &file, TEXT);
  for (int i = 0; i < WEIGHTS; i++) {
    uint64_t *words = p->weights + i * SOTTO_WEIGHT_WORDS;
    words[0] = file;
    words[1] += offset; /* what a test has put there is added */
    words[3] = (uint64_t)weight_sizes[i];
    offset += (uint64_t)weight_sizes[i] * sizeof(float);
  }
  int32_t status = sotto_cpu_plan_create(context, p->buffers, BUFFERS * 3, p->weights, WEIGHTS * SOTTO_WEIGHT_WORDS,
                                         p->steps, STEPS * SOTTO_STEP_WORDS, p->arena, plan, TEXT);
  sotto_cpu_destroy(file);
  return status;
}

static int32_t run_small(uint64_t plan, const float *in, float *out, int32_t *control) {
  return sotto_cpu_plan_run(plan, 0, in, T * C, 2, out, T * (N0 + N1), control, control == NULL ? 0 : 2, NULL, 0, TEXT);
}

static void small_input(float in[T * C]) {
  for (int i = 0; i < T * C; i++) in[i] = (float)(i * 53 % 97) / 97;
}

static void test_result(uint64_t context) {
  small_plan p;
  uint64_t plan;
  float in[T * C], out[T * (N0 + N1)];
  small_input(in);
  describe_plan(&p);
  int32_t control[2] = {0, 0};
  int is_right = create_plan(context, &p, &plan) == SOTTO_OK && run_small(plan, in, out, control) == SOTTO_OK;
  for (int t = 0; t < T && is_right; t++) {
    double normed[C], mean = 0, variance = 0;
    for (int c = 0; c < C; c++) mean += in[t * C + c] / C;
    for (int c = 0; c < C; c++) variance += (in[t * C + c] - mean) * (in[t * C + c] - mean) / C;
    for (int c = 0; c < C; c++) normed[c] = (in[t * C + c] - mean) / sqrt(variance + 1e-5) * p.values[c] + p.values[C + c];
    for (int n = 0; n < N0 + N1; n++) {
      const float *row = p.values + 2 * C + n * C;
      double sum = n < N0 ? 0 : p.values[2 * C + (N0 + N1) * C + n - N0];
      for (int c = 0; c < C; c++) sum += normed[c] * row[c];
      const double want = 0.5 * sum * erfc(-sum / sqrt(2));
      is_right &= fabs(out[t * (N0 + N1) + n] - want) < 2e-6;
    }
  }
  expect(is_right, "a norm and a product of two parts, one with a bias, give what their definitions say");
  expect(control[0] == STEPS, "control[0] counts the steps");
  control[1] = 1;
  expect(run_small(plan, in, out, control) == SOTTO_CANCELLED, "control[1] cancels");
  control[1] = 0;
  expect(run_small(plan, in, out, control) == SOTTO_OK, "a cancelled plan runs again");
  sotto_cpu_destroy(plan);
  expect(run_small(plan, in, out, NULL) == SOTTO_INVALID_HANDLE, "a destroyed plan is refused");
}

/* Every change of one word must be refused, never crash: each word of each table takes hostile values in turn. */
static void test_hostile_words(uint64_t context) {
  const int64_t hostile[] = {-2, -1, 0, 1, 3, 7, 1000, 1 << 20, INT32_MAX, (int64_t)1 << 31, (int64_t)1 << 40,
                             (int64_t)1 << 62, INT64_MIN, INT64_MAX};
  small_plan p;
  int accepted = 0, tried = 0;
  const int words = BUFFERS * 3 + STEPS * SOTTO_STEP_WORDS + 1;
  for (int word = 0; word < words; word++)
    for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
      describe_plan(&p);
      int64_t *at = word < BUFFERS * 3 ? &p.buffers[word]
                    : word < words - 1 ? &p.steps[word - BUFFERS * 3]
                                       : &p.arena;
      *at = hostile[i];
      uint64_t plan = 0;
      float in[T * C], out[T * (N0 + N1)];
      small_input(in);
      tried++;
      if (create_plan(context, &p, &plan) == SOTTO_OK) {
        accepted++; /* words that mean nothing, a residual, another activation: these must run safely */
        run_small(plan, in, out, NULL);
        sotto_cpu_destroy(plan);
      }
    }
  snprintf(text, sizeof text, "%d of %d accepted", accepted, tried);
  expect(accepted > 0 && accepted < tried, "plans with a hostile word are refused or run inside their memory");
  for (int i = 0; i < WEIGHTS; i++) {
    int refused = 1;
    describe_plan(&p);
    p.weights[i * SOTTO_WEIGHT_WORDS + 1] = sizeof p.values;
    uint64_t plan;
    refused &= create_plan(context, &p, &plan) == SOTTO_INVALID_ARGUMENT;
    describe_plan(&p);
    p.weights[i * SOTTO_WEIGHT_WORDS + 1] = UINT64_MAX - 7;
    refused &= create_plan(context, &p, &plan) == SOTTO_INVALID_ARGUMENT || i > 0;
    describe_plan(&p);
    p.weights[i * SOTTO_WEIGHT_WORDS + 2] = 99;
    refused &= create_plan(context, &p, &plan) == SOTTO_INVALID_ARGUMENT;
    expect(refused, "a weight outside its file or of an unknown dtype is refused");
  }
}

static void test_non_finite(uint64_t context) {
  small_plan p;
  uint64_t plan;
  describe_plan(&p);
  p.values[2 * C + N0 * C + 5] = NAN; /* weight 3 */
  p.values[2 * C + N0 * C + 77] = -INFINITY;
  expect(create_plan(context, &p, &plan) == SOTTO_NON_FINITE && strstr(text, "weight 3") && strstr(text, "got 2"),
         "NaN and infinity are counted and their weight is named");
}

/* ---- Number formats. */

static float bits_to_float(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static void test_halves(void) {
  int f16_right = 1, bf16_right = 1;
  for (uint32_t code = 0; code < 0x10000; code++) {
    const uint16_t half = (uint16_t)code;
    float got, got_bf16;
    dtype_to_f32(SOTTO_F16, (const uint8_t *)&half, 1, &got);
    dtype_to_f32(SOTTO_BF16, (const uint8_t *)&half, 1, &got_bf16);
    const int exponent = code >> 10 & 31, fraction = code & 1023;
    double want = exponent == 0 ? ldexp(fraction, -24) : ldexp(1024 + fraction, exponent - 25);
    if (exponent == 31) want = fraction == 0 ? INFINITY : NAN;
    if (code >> 15) want = -want;
    f16_right &= isnan(want) ? isnan(got) : got == want && !signbit(got) == !signbit(want);
    const float want_bf16 = bits_to_float(code << 16);
    bf16_right &= memcmp(&got_bf16, &want_bf16, sizeof got_bf16) == 0;
  }
  expect(f16_right, "all 65,536 F16 codes");
  expect(bf16_right, "all 65,536 BF16 codes");
}

/* A block of each type whose scale is ½ and minimum −3, holding the codes in order. */
static void test_blocks(void) {
  static const struct { int32_t dtype; int has_minimum, bits; const char *name; } types[] = {
      {SOTTO_Q4_0, 0, 4, "Q4_0"}, {SOTTO_Q4_1, 1, 4, "Q4_1"}, {SOTTO_Q5_0, 0, 5, "Q5_0"}, {SOTTO_Q5_1, 1, 5, "Q5_1"}};
  for (size_t t = 0; t < sizeof types / sizeof *types; t++) {
    uint8_t block[24] = {0x00, 0x38}; /* ½ as F16 */
    uint8_t *next = block + 2;
    if (types[t].has_minimum) *next++ = 0x00, *next++ = 0xc2; /* −3 */
    int codes[32];
    for (int i = 0; i < 32; i++) codes[i] = (i * 7 + 3) % (1 << types[t].bits);
    if (types[t].bits == 5) {
      uint32_t fifth = 0;
      for (int i = 0; i < 32; i++) fifth |= (uint32_t)(codes[i] >> 4) << i;
      for (int i = 0; i < 4; i++) *next++ = (uint8_t)(fifth >> 8 * i);
    }
    for (int i = 0; i < 16; i++) *next++ = (uint8_t)((codes[i] & 15) | (codes[i + 16] & 15) << 4);
    float got[32];
    dtype_to_f32(types[t].dtype, block, 32, got);
    int is_right = dtype_describe(types[t].dtype)->bytes == next - block;
    for (int i = 0; i < 32; i++) {
      const double want = types[t].has_minimum ? codes[i] * 0.5 - 3 : (codes[i] - (1 << (types[t].bits - 1))) * 0.5;
      is_right &= got[i] == want;
    }
    expect(is_right, types[t].name);
  }
  uint8_t block[34] = {0x00, 0x38};
  float got[32];
  int is_right = 1;
  for (int i = 0; i < 32; i++) block[2 + i] = (uint8_t)(i * 8 - 128);
  dtype_to_f32(SOTTO_Q8_0, block, 32, got);
  for (int i = 0; i < 32; i++) is_right &= got[i] == (i * 8 - 128) * 0.5f;
  expect(is_right, "Q8_0");
}

/* ---- Handles, contexts, files. */

static void test_handles(void) {
  uint64_t context = new_context(2), file = 0, other;
  char json[256];
  expect(context != 0 && sotto_cpu_context_describe(context, json, sizeof json) == SOTTO_OK && strstr(json, "\"threads\": 2"),
         "a context says its threads");
  expect(sotto_cpu_file_copy((const uint8_t *)"abc", 3, &file, TEXT) == SOTTO_OK &&
             sotto_cpu_context_describe(file, json, sizeof json) == SOTTO_INVALID_HANDLE,
         "a handle of another kind is refused");
  expect(sotto_cpu_destroy(file) == SOTTO_OK && sotto_cpu_destroy(file) == SOTTO_INVALID_HANDLE, "a handle is destroyed once");
  sotto_cpu_file_copy((const uint8_t *)"abc", 3, &other, TEXT);
  expect(other != file && sotto_cpu_destroy(file) == SOTTO_INVALID_HANDLE, "a slot's next handle is another one");
  sotto_cpu_destroy(other);
  sotto_cpu_destroy(context);
  expect(sotto_cpu_context_create(0, "", 0, &context, TEXT) == SOTTO_INVALID_ARGUMENT &&
             sotto_cpu_context_create(257, "", 0, &context, TEXT) == SOTTO_INVALID_ARGUMENT,
         "0 and 257 threads are refused");
  expect(sotto_cpu_context_create(1, "avx9000", 7, &context, TEXT) == SOTTO_UNSUPPORTED && strstr(text, "ref") != NULL,
         "an unknown variant is refused with the names of those that run");
  char tiny[4];
  expect(sotto_cpu_context_create(0, "", 0, &context, tiny, sizeof tiny) == SOTTO_INVALID_ARGUMENT && tiny[3] == '\0',
         "an error text is cut and terminated");
  expect(sotto_cpu_context_create(0, "", 0, &context, NULL, 0) == SOTTO_INVALID_ARGUMENT, "an error needs no buffer");
  expect(sotto_cpu_describe(json, 10) == SOTTO_OK && strlen(json) == 9, "a description is cut and terminated");
  expect(sotto_cpu_file_open("/nowhere/at/all", 15, &file, TEXT) == SOTTO_IO, "a missing file is refused");
  expect(sotto_cpu_file_open("/", 1, &file, TEXT) == SOTTO_IO, "a folder is refused");
}

/* ---- Threads. */

typedef struct {
  atomic_int parts[64];
} counted;

static void count_part(void *context, int part, int parts) {
  (void)parts;
  atomic_fetch_add(&((counted *)context)->parts[part], 1);
}

enum { CALLERS = 4, CALLS = 500 };

typedef struct {
  thread_pool *pool;
  counted counted;
} caller;

static void *call_pool(void *argument) {
  caller *self = argument;
  for (int i = 0; i < CALLS; i++) pool_run(self->pool, count_part, &self->counted);
  return NULL;
}

static void test_pool(int threads) {
  thread_pool *pool = pool_create(threads);
  caller callers[CALLERS] = {{0}};
  pthread_t handles[CALLERS];
  for (int i = 0; i < CALLERS; i++) {
    callers[i].pool = pool;
    pthread_create(&handles[i], NULL, call_pool, &callers[i]);
  }
  int is_right = 1;
  for (int i = 0; i < CALLERS; i++) {
    pthread_join(handles[i], NULL);
    for (int part = 0; part < threads; part++) is_right &= atomic_load(&callers[i].counted.parts[part]) == CALLS;
  }
  pool_destroy(pool);
  expect(is_right, "calls of four threads queue for a pool, and every part runs once a call");
}

static void test_share(void) {
  int is_right = 1;
  for (int64_t count = 0; count < 40; count++)
    for (int64_t grain = 1; grain < 5; grain++)
      for (int parts = 1; parts < 9; parts++) {
        int64_t end = 0;
        for (int part = 0; part < parts; part++) {
          share s = share_of(count, grain, part, parts);
          is_right &= s.begin == end && s.end >= s.begin && (s.begin % grain == 0 || s.begin == count);
          end = s.end;
        }
        is_right &= end == count;
      }
  expect(is_right, "shares lie side by side and cover all items");
}

/* ---- A plan run from several threads at once, and destroyed meanwhile. */

typedef struct {
  uint64_t plan;
  int statuses[10]; /* by status */
} runner;

static void *run_often(void *argument) {
  runner *self = argument;
  char own_text[128];
  float in[T * C], out[T * (N0 + N1)];
  small_input(in);
  for (int i = 0; i < 200; i++)
    self->statuses[sotto_cpu_plan_run(self->plan, 0, in, T * C, 2, out, T * (N0 + N1), NULL, 0, NULL, 0, own_text, sizeof own_text)]++;
  return NULL;
}

static void test_busy(uint64_t context) {
  small_plan p;
  describe_plan(&p);
  uint64_t plan;
  create_plan(context, &p, &plan);
  runner runners[CALLERS] = {{0}};
  pthread_t handles[CALLERS];
  for (int i = 0; i < CALLERS; i++) {
    runners[i].plan = plan;
    pthread_create(&handles[i], NULL, run_often, &runners[i]);
  }
  sotto_cpu_destroy(context); /* the plan holds it */
  sotto_cpu_destroy(plan);    /* takes effect when the running call ends */
  int is_right = 1;
  for (int i = 0; i < CALLERS; i++) {
    pthread_join(handles[i], NULL);
    const int *s = runners[i].statuses;
    is_right &= s[SOTTO_OK] + s[SOTTO_BUSY] + s[SOTTO_INVALID_HANDLE] == 200;
  }
  expect(is_right, "calls on a plan that is busy or destroyed are refused, and none crashes");
}

int main(void) {
  expect(sotto_cpu_abi() == SOTTO_CPU_ABI, "the ABI number");
  test_handles();
  test_share();
  for (int threads = 1; threads <= 5; threads += 2) test_pool(threads);
  test_placement(expect);
  test_scratch(expect);
  test_halves();
  test_blocks();
  for (int threads = 1; threads <= 3; threads++) {
    uint64_t context = new_context(threads);
    test_result(context);
    test_hostile_words(context);
    test_non_finite(context);
    test_busy(context); /* destroys the context */
  }
  printf("%d failures\n", failures);
  return failures > 0;
}

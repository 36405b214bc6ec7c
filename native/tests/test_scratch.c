/* What a call gives back the next one takes; two calls at a time have memory of their own. */
#include "../cpu/scratch.h"

#include <pthread.h>
#include <string.h>

#include "../cpu/memory.h"

void test_scratch(void (*expect)(int condition, const char *what));

enum { CALLS = 2000, CALLERS = 3 };

/* Takes memory of many sizes, and looks whether it stays its own until it is given back. */
static void *call(void *argument) {
  cpu_context *context = argument;
  for (size_t i = 0; i < CALLS; i++) {
    const size_t bytes = 1 + i * 37 % 5000;
    unsigned char *const memory = scratch_take(context, bytes);
    memset(memory, (int)(i % 256), bytes);
    if (memory[0] != i % 256 || memory[bytes - 1] != i % 256) return argument;
    scratch_give(context, memory);
  }
  return NULL;
}

void test_scratch(void (*expect)(int condition, const char *what)) {
  cpu_context context = {.scratch = NULL};
  char *const first = scratch_take(&context, 1000), *const second = scratch_take(&context, 1000);
  expect(first != second && (size_t)first % SOTTO_ALIGNMENT == 0, "scratch in use is not handed out again");
  scratch_give(&context, first);
  scratch_give(&context, second);
  char *const again = scratch_take(&context, 900);
  expect(again == second, "scratch given back last is taken again");
  scratch_give(&context, again);
  char *const larger = scratch_take(&context, 100000);
  memset(larger, 1, 100000);
  scratch_give(&context, larger);

  pthread_t callers[CALLERS];
  int is_right = 1;
  for (int i = 0; i < CALLERS; i++) is_right &= pthread_create(&callers[i], NULL, call, &context) == 0;
  for (int i = 0; i < CALLERS; i++) {
    void *failed;
    is_right &= pthread_join(callers[i], &failed) == 0 && failed == NULL;
  }
  expect(is_right, "scratch of calls at a time is each one's own");
  scratch_discard(&context);
}

/* A worker is moved off its caller's processor, and is allowed all processors again once it runs. */
#if defined(__linux__)
#define _GNU_SOURCE /* sched_getaffinity, under -std=c11 */
#endif
#include "../cpu/placement.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

void test_placement(void (*expect)(int condition, const char *what));

#if defined(__linux__)

typedef struct {
  placement place;
  atomic_int stage; /* 1: the worker has begun; 2: it has work; 3: it has settled; 4: it may end */
} one_worker;

static void wait_for_stage(one_worker *worker, int stage) {
  while (atomic_load(&worker->stage) < stage) sched_yield();
}

static void *work(void *argument) {
  one_worker *self = argument;
  placement_begin(&self->place);
  atomic_store(&self->stage, 1);
  wait_for_stage(self, 2);
  placement_settle(&self->place);
  atomic_store(&self->stage, 3);
  wait_for_stage(self, 4);
  return NULL;
}

static cpu_set_t allowed_to(const one_worker *worker) {
  cpu_set_t set;
  CPU_ZERO(&set);
  sched_getaffinity(atomic_load(&worker->place.thread), sizeof set, &set);
  return set;
}

/* The caller stays on one processor, as any other may be `here` a moment later. */
static void test_on(int here, const cpu_set_t *all, int *is_moved, int *is_left, int *is_settled) {
  cpu_set_t only_here;
  CPU_ZERO(&only_here);
  CPU_SET(here, &only_here);
  one_worker *worker = calloc(1, sizeof *worker);
  pthread_t thread;
  pthread_create(&thread, NULL, work, worker);
  wait_for_stage(worker, 1);
  sched_setaffinity(0, sizeof only_here, &only_here);

  atomic_store(&worker->place.processor, here + 1); /* it waits elsewhere */
  placement_move_off_caller(&worker->place);
  cpu_set_t set = allowed_to(worker);
  *is_left &= CPU_EQUAL(&set, all);

  placement_sleep(&worker->place);
  placement_move_off_caller(&worker->place);
  set = allowed_to(worker);
  const int has_other = CPU_COUNT(all) > 1;
  *is_moved &= CPU_ISSET(here, &set) == !has_other && CPU_COUNT(&set) == CPU_COUNT(all) - has_other;

  sched_setaffinity(0, sizeof *all, all);
  atomic_store(&worker->stage, 2);
  wait_for_stage(worker, 3);
  set = allowed_to(worker);
  *is_settled &= CPU_EQUAL(&set, all);
  atomic_store(&worker->stage, 4);
  pthread_join(thread, NULL);
  free(worker);
}

void test_placement(void (*expect)(int condition, const char *what)) {
  cpu_set_t all;
  if (sched_getaffinity(0, sizeof all, &all) != 0) {
    printf("skipped: placement (the system has more processors than a set of them holds)\n");
    return;
  }
  int is_moved = 1, is_left = 1, is_settled = 1;
  for (int here = 0; here < CPU_SETSIZE; here++)
    if (CPU_ISSET(here, &all)) test_on(here, &all, &is_moved, &is_left, &is_settled);
  expect(is_left, "a worker that waits on another processor is left there");
  expect(is_moved, "a sleeping worker may wake on any processor but its caller's, or on the only one");
  expect(is_settled, "a worker that runs may run everywhere again");
}

#else

void test_placement(void (*expect)(int condition, const char *what)) {
  (void)expect;
  printf("skipped: placement (only on Linux)\n");
}

#endif

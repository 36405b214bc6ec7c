#if defined(__linux__)
#define _GNU_SOURCE /* clock_gettime under -std=c11 */
#endif
#include "threads.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "placement.h"

/* How long a thread looks for work before it sleeps: longer than it takes to choose a token between two steps of the
 * decoder, for waking up costs 30 to 50 µs, 6 % of a step of base in INT8. */
#define SPIN_NANOSECONDS 150000

typedef struct {
  thread_pool *pool;
  pthread_t thread;
  int part;
  placement place;
} worker;

struct thread_pool {
  int threads;
  int started; /* workers whose thread exists: threads - 1 once created */
  worker *workers;

  pthread_mutex_t run_lock; /* held by the call whose job is running */

  pthread_mutex_t lock; /* guards sleeping on the conditions below */
  pthread_cond_t has_job;
  pthread_cond_t is_done;

  pool_job job; /* written before `job_number` rises, read after */
  void *context;
  int stopping;
  atomic_uint job_number;
  atomic_int pending; /* parts of the running job that have not ended */
};

static int64_t now_nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static inline void relax(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

/* Whether the time to spin is over; the clock is read every 64th time only. */
static int is_spin_over(int64_t *deadline, unsigned *turns) {
  relax();
  if (++*turns % 64 != 0) return 0;
  int64_t now = now_nanoseconds();
  if (*deadline == 0) *deadline = now + SPIN_NANOSECONDS;
  return now > *deadline;
}

static unsigned wait_for_job(worker *self, unsigned seen) {
  thread_pool *pool = self->pool;
  int64_t deadline = 0;
  unsigned turns = 0, number;
  placement_wait(&self->place);
  while ((number = atomic_load_explicit(&pool->job_number, memory_order_acquire)) == seen) {
    if (!is_spin_over(&deadline, &turns)) continue;
    placement_sleep(&self->place);
    pthread_mutex_lock(&pool->lock);
    while (atomic_load_explicit(&pool->job_number, memory_order_acquire) == seen)
      pthread_cond_wait(&pool->has_job, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
  }
  return number;
}

static void wait_until_done(thread_pool *pool) {
  int64_t deadline = 0;
  unsigned turns = 0;
  while (atomic_load_explicit(&pool->pending, memory_order_acquire) != 0) {
    if (!is_spin_over(&deadline, &turns)) continue;
    pthread_mutex_lock(&pool->lock);
    while (atomic_load_explicit(&pool->pending, memory_order_acquire) != 0)
      pthread_cond_wait(&pool->is_done, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
  }
}

static void *work(void *argument) {
  worker *self = argument;
  thread_pool *pool = self->pool;
  placement_begin(&self->place);
  for (unsigned seen = 0;;) {
    seen = wait_for_job(self, seen);
    placement_settle(&self->place);
    if (pool->stopping) return NULL;
    pool->job(pool->context, self->part, pool->threads);
    if (atomic_fetch_sub_explicit(&pool->pending, 1, memory_order_acq_rel) == 1) {
      pthread_mutex_lock(&pool->lock);
      pthread_cond_signal(&pool->is_done);
      pthread_mutex_unlock(&pool->lock);
    }
  }
}

/* Lets the workers see a new job (or that the pool stops). Under the lock, so that none misses it while it lies down. */
static void announce(thread_pool *pool) {
  pthread_mutex_lock(&pool->lock);
  atomic_fetch_add_explicit(&pool->job_number, 1, memory_order_release);
  pthread_cond_broadcast(&pool->has_job);
  pthread_mutex_unlock(&pool->lock);
}

thread_pool *pool_create(int threads) {
  thread_pool *pool = calloc(1, sizeof *pool);
  if (pool == NULL) return NULL;
  pool->threads = threads;
  pthread_mutex_init(&pool->run_lock, NULL);
  pthread_mutex_init(&pool->lock, NULL);
  pthread_cond_init(&pool->has_job, NULL);
  pthread_cond_init(&pool->is_done, NULL);
  pool->workers = calloc((size_t)threads, sizeof *pool->workers);
  while (pool->workers != NULL && pool->started < threads - 1) {
    worker *next = &pool->workers[pool->started];
    *next = (worker){.pool = pool, .part = pool->started + 1};
    if (pthread_create(&next->thread, NULL, work, next) != 0) break;
    pool->started++;
  }
  if (pool->workers == NULL || pool->started < threads - 1) {
    pool_destroy(pool);
    return NULL;
  }
  return pool;
}

void pool_destroy(thread_pool *pool) {
  if (pool == NULL) return;
  pool->stopping = 1;
  announce(pool);
  for (int i = 0; i < pool->started; i++) pthread_join(pool->workers[i].thread, NULL);
  pthread_mutex_destroy(&pool->run_lock);
  pthread_mutex_destroy(&pool->lock);
  pthread_cond_destroy(&pool->has_job);
  pthread_cond_destroy(&pool->is_done);
  free(pool->workers);
  free(pool);
}

int pool_threads(const thread_pool *pool) { return pool->threads; }

void pool_run(thread_pool *pool, pool_job job, void *context) {
  pthread_mutex_lock(&pool->run_lock);
  if (pool->threads > 1) {
    for (int i = 0; i < pool->started; i++) placement_move_off_caller(&pool->workers[i].place);
    pool->job = job;
    pool->context = context;
    atomic_store_explicit(&pool->pending, pool->threads - 1, memory_order_relaxed);
    announce(pool);
  }
  job(context, 0, pool->threads);
  if (pool->threads > 1) wait_until_done(pool);
  pthread_mutex_unlock(&pool->run_lock);
}

share share_of(int64_t count, int64_t grain, int part, int parts) {
  int64_t grains = (count + grain - 1) / grain;
  int64_t each = grains / parts, more = grains % parts;
  int64_t begin = (each * part + (part < more ? part : more)) * grain;
  int64_t end = begin + (each + (part < more ? 1 : 0)) * grain;
  return (share){begin < count ? begin : count, end < count ? end : count};
}

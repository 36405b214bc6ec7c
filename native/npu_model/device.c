#define _GNU_SOURCE /* clock_gettime, sysconf under -std=c11 */
#include "device.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* What timed waits are measured by; macOS has no choice. */
#if defined(__APPLE__)
#define WAIT_CLOCK CLOCK_REALTIME
#else
#define WAIT_CLOCK CLOCK_MONOTONIC
#endif

/* More threads than this gain nothing on the small rounds of one command. */
enum { MOST_THREADS = 8 };

struct npu_device {
  npu_settings settings;
  thread_pool *pool;
  pthread_t thread;
  pthread_mutex_t lock;
  pthread_cond_t changed; /* jobs came, ended, or the device stops */
  npu_job *first, **end;
  int stopping, is_lost;
  int contexts;
  uint64_t context_calls, buffer_calls, submit_calls, commands;
  uint64_t last_context; /* 0: none yet */
  npu_totals totals;
};

static struct timespec after(int64_t milliseconds) {
  struct timespec at;
  clock_gettime(WAIT_CLOCK, &at);
  at.tv_sec += milliseconds / 1000;
  at.tv_nsec += milliseconds % 1000 * 1000000;
  if (at.tv_nsec >= 1000000000) {
    at.tv_sec++;
    at.tv_nsec -= 1000000000;
  }
  return at;
}

/* Sleeps unless the device stops. The lock is held. */
static void pause_for(npu_device *device, int milliseconds) {
  const struct timespec end = after(milliseconds);
  while (!device->stopping && pthread_cond_timedwait(&device->changed, &device->lock, &end) != ETIMEDOUT) {}
}

/* What a command costs beside what its stream does. The lock is held. */
static void count(npu_device *device, npu_command *command, uint64_t context, int index) {
  const npu_clock *clock = device->settings.kind->clock;
  command->is_switch = device->last_context != 0 && device->last_context != context;
  device->last_context = context;
  command->events.nanoseconds += (uint64_t)(index == 0 ? clock->launch : clock->listed_launch);
  if (command->is_switch) command->events.nanoseconds += (uint64_t)clock->context_switch;
  npu_totals *totals = &device->totals;
  totals->launches++;
  totals->switches += (uint64_t)command->is_switch;
  totals->failures += command->state != COMMAND_COMPLETED;
  totals->events.nanoseconds += command->events.nanoseconds;
  totals->events.bytes_in += command->events.bytes_in;
  totals->events.bytes_out += command->events.bytes_out;
  totals->events.operations += command->events.operations;
  totals->events.instructions += command->events.instructions;
  totals->events.dma_tasks += command->events.dma_tasks;
}

static void text_of(npu_command *command, const char *text) { strncpy(command->text, text, sizeof command->text - 1); }

/* One command. The lock is held, but for the work itself. */
static int carry_out(npu_device *device, npu_command *command, uint64_t context, int index) {
  const npu_settings *settings = &device->settings;
  const uint64_t number = ++device->commands;
  command->state = COMMAND_RUNNING;
  command->events = (npu_events){0};
  memset(command->text, 0, sizeof command->text);
  if (settings->slow_ms > 0) pause_for(device, settings->slow_ms);
  npu_outcome outcome = NPU_ERROR;
  if (fault_shows(&settings->hang, number)) {
    outcome = NPU_HUNG;
    text_of(command, "The command hangs, as SOTTO_NPU_MODEL says");
  } else if (fault_shows(&settings->error, number)) {
    text_of(command, "The command fails, as SOTTO_NPU_MODEL says");
  } else if (command->fault != NULL) {
    text_of(command, command->fault);
  } else {
    pthread_mutex_unlock(&device->lock);
    const error_sink error = {command->text, sizeof command->text};
    outcome = npu_model_run(command->overlay, settings->kind->clock, command->words, command->word_count,
                            command->arguments, command->argument_count, device->pool, &command->events, error);
    pthread_mutex_lock(&device->lock);
  }
  if (outcome == NPU_HUNG) pause_for(device, settings->watchdog_ms);
  command->state = (int)outcome;
  count(device, command, context, index);
  return command->state;
}

static void run_job(npu_device *device, npu_job *job) {
  for (int i = 0; i < job->count; i++) {
    if (job->failed >= 0) job->commands[i].state = COMMAND_ABORTED;
    else if (carry_out(device, &job->commands[i], job->context, i) != COMMAND_COMPLETED) job->failed = i;
  }
  if (job->ended != NULL) job->ended(job);
  job->is_over = 1;
  pthread_cond_broadcast(&device->changed);
}

static void *work(void *argument) {
  npu_device *device = argument;
  pthread_mutex_lock(&device->lock);
  for (;;) {
    while (device->first == NULL && !device->stopping) pthread_cond_wait(&device->changed, &device->lock);
    npu_job *job = device->first;
    if (job == NULL) break;
    device->first = job->next;
    if (device->first == NULL) device->end = &device->first;
    run_job(device, job);
  }
  pthread_mutex_unlock(&device->lock);
  return NULL;
}

npu_device *npu_device_create(const npu_settings *settings) {
  npu_device *device = calloc(1, sizeof *device);
  if (device == NULL) return NULL;
  device->settings = *settings;
  device->end = &device->first;
  const long processors = sysconf(_SC_NPROCESSORS_ONLN);
  const int threads = settings->threads > 0       ? settings->threads
                      : processors < 1            ? 1
                      : processors > MOST_THREADS ? MOST_THREADS
                                                  : (int)processors;
  device->pool = pool_create(threads);
  pthread_condattr_t attributes;
  pthread_condattr_init(&attributes);
#if !defined(__APPLE__)
  pthread_condattr_setclock(&attributes, WAIT_CLOCK);
#endif
  pthread_cond_init(&device->changed, &attributes);
  pthread_condattr_destroy(&attributes);
  pthread_mutex_init(&device->lock, NULL);
  if (device->pool != NULL && pthread_create(&device->thread, NULL, work, device) == 0) return device;
  pool_destroy(device->pool);
  pthread_mutex_destroy(&device->lock);
  pthread_cond_destroy(&device->changed);
  free(device);
  return NULL;
}

void npu_device_destroy(npu_device *device) {
  if (device == NULL) return;
  pthread_mutex_lock(&device->lock);
  device->stopping = 1;
  pthread_cond_broadcast(&device->changed);
  pthread_mutex_unlock(&device->lock);
  pthread_join(device->thread, NULL);
  pool_destroy(device->pool);
  pthread_mutex_destroy(&device->lock);
  pthread_cond_destroy(&device->changed);
  free(device);
}

const npu_settings *npu_device_settings(const npu_device *device) { return &device->settings; }

int npu_device_take_context(npu_device *device) {
  int refusal = 0;
  pthread_mutex_lock(&device->lock);
  if (device->is_lost) refusal = ENODEV;
  else if (fault_shows(&device->settings.context, ++device->context_calls)) refusal = device->settings.context.value;
  else if (device->contexts >= device->settings.kind->contexts) refusal = EINVAL; /* as the driver says it: -22 */
  else device->contexts++;
  pthread_mutex_unlock(&device->lock);
  return refusal;
}

void npu_device_return_context(npu_device *device) {
  pthread_mutex_lock(&device->lock);
  device->contexts--;
  pthread_mutex_unlock(&device->lock);
}

int npu_device_take_buffer(npu_device *device) {
  pthread_mutex_lock(&device->lock);
  const int refusal = device->is_lost                                                 ? ENODEV
                      : fault_shows(&device->settings.buffer, ++device->buffer_calls) ? device->settings.buffer.value
                                                                                      : 0;
  pthread_mutex_unlock(&device->lock);
  return refusal;
}

int npu_device_submit(npu_device *device, npu_job *job) {
  pthread_mutex_lock(&device->lock);
  const uint64_t call = ++device->submit_calls;
  if (fault_shows(&device->settings.lost, call)) device->is_lost = 1;
  const int refusal = device->is_lost                               ? ENODEV
                      : fault_shows(&device->settings.submit, call) ? device->settings.submit.value
                                                                    : 0;
  if (refusal == 0) {
    job->is_over = 0;
    job->failed = -1;
    job->next = NULL;
    for (int i = 0; i < job->count; i++) job->commands[i].state = COMMAND_QUEUED;
    *device->end = job;
    device->end = &job->next;
    pthread_cond_broadcast(&device->changed);
  }
  pthread_mutex_unlock(&device->lock);
  return refusal;
}

int npu_device_wait(npu_device *device, const npu_job *job, uint32_t timeout_ms) {
  pthread_mutex_lock(&device->lock);
  const struct timespec end = after(timeout_ms);
  int late = 0;
  while (!job->is_over && !late) {
    if (timeout_ms == 0) pthread_cond_wait(&device->changed, &device->lock);
    else late = pthread_cond_timedwait(&device->changed, &device->lock, &end) == ETIMEDOUT;
  }
  const int is_over = job->is_over;
  pthread_mutex_unlock(&device->lock);
  return is_over;
}

int npu_device_is_over(npu_device *device, const npu_job *job) {
  pthread_mutex_lock(&device->lock);
  const int is_over = job->is_over;
  pthread_mutex_unlock(&device->lock);
  return is_over;
}

int npu_device_is_lost(npu_device *device) {
  pthread_mutex_lock(&device->lock);
  const int is_lost = device->is_lost;
  pthread_mutex_unlock(&device->lock);
  return is_lost;
}

int npu_device_state(npu_device *device, const npu_command *command) {
  pthread_mutex_lock(&device->lock);
  const int state = command->state;
  pthread_mutex_unlock(&device->lock);
  return state;
}

npu_totals npu_device_totals(npu_device *device) {
  pthread_mutex_lock(&device->lock);
  const npu_totals totals = device->totals;
  pthread_mutex_unlock(&device->lock);
  return totals;
}

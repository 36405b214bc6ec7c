/* A modelled NPU: the commands of all contexts in one queue, carried out one after the other by a thread of its own. */
#ifndef SOTTO_NPU_DEVICE_H
#define SOTTO_NPU_DEVICE_H

#include "model.h"
#include "settings.h"

/* States of a command, as the driver writes them. */
enum {
  COMMAND_NEW = 1,
  COMMAND_QUEUED = 2,
  COMMAND_RUNNING = 3,
  COMMAND_COMPLETED = 4,
  COMMAND_ERROR = 5,
  COMMAND_ABORTED = 6,
  COMMAND_TIMEOUT = 8
};

typedef struct {
  const npu_overlay *overlay;
  const uint32_t *words;
  size_t word_count;
  npu_argument arguments[NPU_MAX_ARGUMENTS];
  int argument_count;
  const char *fault; /* not NULL: the command is malformed, and why */
  int state;
  npu_events events;
  int is_switch; /* another context's command came before */
  char text[256];
} npu_command;

/* Commands submitted together: the first that fails ends them all. */
typedef struct npu_job {
  npu_command *commands;
  int count;
  uint64_t context; /* whose: changes cost time */
  void (*ended)(
      struct npu_job *); /* called on the device's thread when all is over, before waiters see it; may be NULL */
  void *owner;
  int is_over;
  int failed; /* index of the command that failed, -1 */
  struct npu_job *next;
} npu_job;

typedef struct {
  uint64_t launches, failures, switches;
  npu_events events; /* sums; nanoseconds with launches and switches */
} npu_totals;

typedef struct npu_device npu_device;

/* NULL where memory or a thread is refused. */
npu_device *npu_device_create(const npu_settings *settings);
/* Ends what is under way (a hang at once) and frees it. */
void npu_device_destroy(npu_device *device);

const npu_settings *npu_device_settings(const npu_device *device);

/* Calls that the driver may refuse: 0 or an errno. */
int npu_device_take_context(npu_device *device);
void npu_device_return_context(npu_device *device);
int npu_device_take_buffer(npu_device *device);
/* Queues a job, or answers with an errno: ENODEV once the device is lost. The caller keeps the job till it is over. */
int npu_device_submit(npu_device *device, npu_job *job);

/* Whether the job is over, waiting up to `timeout_ms` (0: without end). */
int npu_device_wait(npu_device *device, const npu_job *job, uint32_t timeout_ms);
/* Whether the job is over now. */
int npu_device_is_over(npu_device *device, const npu_job *job);
int npu_device_is_lost(npu_device *device);

/* The state of a command now. */
int npu_device_state(npu_device *device, const npu_command *command);

npu_totals npu_device_totals(npu_device *device);

#endif

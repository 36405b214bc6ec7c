/* Which NPU is modelled and which faults it shows: the text of SOTTO_NPU_MODEL. README.md defines it. */
#ifndef SOTTO_NPU_SETTINGS_H
#define SOTTO_NPU_SETTINGS_H

#include <stdint.h>

#include "../cpu/status.h"
#include "clock.h"

typedef struct {
  const char *key;  /* phoenix */
  const char *name; /* as the driver's vbnv says it */
  int generation, columns, rows, contexts;
  uint32_t pci_device, pci_revision;
  const npu_clock *clock;
} npu_kind;

/* A fault: at the first-th call of its kind, or from then on. first = 0: never. */
typedef struct {
  uint64_t first;
  int goes_on;
  int value; /* errno of refusals */
} npu_fault;

typedef struct {
  const npu_kind *kind;              /* NULL: there is no NPU */
  int is_forbidden;                  /* opening it fails with EACCES */
  int is_unlocked;                   /* its heap cannot be locked: EAGAIN */
  npu_fault context, buffer, submit; /* refused */
  npu_fault error, hang, lost;       /* by command */
  int slow_ms, watchdog_ms, threads;
} npu_settings;

int32_t npu_settings_read(npu_settings *settings, const char *text, size_t length, error_sink error);

/* Whether the fault shows at the count-th call (from 1). */
static inline int fault_shows(const npu_fault *fault, uint64_t count) {
  return fault->first != 0 && (count == fault->first || (fault->goes_on && count > fault->first));
}

#endif

/* The clock of the model: constants, and the time they make of what a command did. README.md says where each comes from. */
#ifndef SOTTO_NPU_CLOCK_H
#define SOTTO_NPU_CLOCK_H

#include "overlay.h"

typedef struct {
  double launch; /* ns from submitting a command to its first instruction, and from its last to the host's return */
  double listed_launch;  /* the same for a command of a runlist but the first */
  double context_switch; /* ns, where a command's context is not that of the command before */
  double instruction;    /* ns for each operation of the stream */
  double channel;        /* bytes/ns of one DMA channel of a shim tile */
  double memory;         /* bytes/ns of all channels together */
  double round;          /* ns a round costs beyond its arithmetic */
  double rate[5];        /* operations/ns (multiplications and additions) of one tile, by clock_type */
} npu_clock;

enum clock_type { CLOCK_I8, CLOCK_I16, CLOCK_BF16, CLOCK_BFP16, CLOCK_VECTOR };

extern const npu_clock npu_clock_xdna1, npu_clock_xdna2;

/* Which of the rates a program runs at. */
enum clock_type clock_type_of(const npu_program *program);

/* The constants as JSON, for those who plan launches; `capacity` bounds what is written. */
void clock_describe(const npu_clock *clock, char *json, size_t capacity);

#endif

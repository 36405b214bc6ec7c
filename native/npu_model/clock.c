#include "clock.h"

#include <stdio.h>

/* README.md derives every figure. */
const npu_clock npu_clock_xdna1 = {
    .launch = 90e3,
    .listed_launch = 26e3,
    .context_switch = 2650e3,
    .instruction = 60,
    .channel = 4,
    .memory = 30,
    .round = 2e3,
    .rate = {[CLOCK_I8] = 133, [CLOCK_I16] = 50, [CLOCK_BF16] = 100, [CLOCK_BFP16] = 100, [CLOCK_VECTOR] = 16},
};

const npu_clock npu_clock_xdna2 = {
    .launch = 90e3,
    .listed_launch = 26e3,
    .context_switch = 2650e3,
    .instruction = 60,
    .channel = 4,
    .memory = 60,
    .round = 2e3,
    .rate = {[CLOCK_I8] = 350, [CLOCK_I16] = 88, [CLOCK_BF16] = 52, [CLOCK_BFP16] = 350, [CLOCK_VECTOR] = 16},
};

enum clock_type clock_type_of(const npu_program *program) {
  const int is_product = program->operation == PROGRAM_MATMUL || program->operation == PROGRAM_ATTENTION ||
                         program->operation == PROGRAM_SEED_ATTENTION;
  if (!is_product) return CLOCK_VECTOR;
  switch (program->in) {
  case TYPE_I8: return CLOCK_I8;
  case TYPE_I16: return CLOCK_I16;
  case TYPE_BFP16: return CLOCK_BFP16;
  default: return CLOCK_BF16;
  }
}

void clock_describe(const npu_clock *clock, char *json, size_t capacity) {
  snprintf(json, capacity,
           "{\"launch\": %g, \"listedLaunch\": %g, \"contextSwitch\": %g, \"instruction\": %g, \"channel\": %g, "
           "\"memory\": %g, \"round\": %g, "
           "\"rate\": {\"i8\": %g, \"i16\": %g, \"bf16\": %g, \"bfp16\": %g, \"vector\": %g}}",
           clock->launch, clock->listed_launch, clock->context_switch, clock->instruction, clock->channel,
           clock->memory, clock->round, clock->rate[CLOCK_I8], clock->rate[CLOCK_I16], clock->rate[CLOCK_BF16],
           clock->rate[CLOCK_BFP16], clock->rate[CLOCK_VECTOR]);
}

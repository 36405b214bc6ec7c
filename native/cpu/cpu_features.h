/* What the processor and the operating system can run, asked once per call of cpu_detect. */
#ifndef SOTTO_CPU_FEATURES_H
#define SOTTO_CPU_FEATURES_H

#include <stddef.h>

/* A bit each; the names are cpu_feature_name's. */
enum {
  CPU_AVX2 = 1 << 0,
  CPU_FMA = 1 << 1,
  CPU_F16C = 1 << 2,
  CPU_AVX512F = 1 << 3,
  CPU_AVX512BW = 1 << 4,
  CPU_AVX512VL = 1 << 5,
  CPU_AVX512DQ = 1 << 6,
  CPU_AVX512VNNI = 1 << 7,
  CPU_AVX512BF16 = 1 << 8,
  CPU_AVX512FP16 = 1 << 9,
  CPU_AVXVNNI = 1 << 10,
  CPU_ASIMD = 1 << 11,
  CPU_ASIMDDP = 1 << 12,
  CPU_FEATURE_COUNT = 13
};

/* Features that both the processor has and the system saves registers for. */
unsigned cpu_detect(void);

/* The name of feature bit `index`, as Linux spells it. */
const char *cpu_feature_name(int index);

/* The processor's own name, such as "AMD EPYC"; the architecture's where it has none. */
void cpu_name(char *out, size_t capacity);

#endif

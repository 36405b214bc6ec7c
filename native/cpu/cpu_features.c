#include "cpu_features.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

const char *cpu_feature_name(int index) {
  static const char *const names[CPU_FEATURE_COUNT] = {"avx2",     "fma",         "f16c",        "avx512f",
                                                       "avx512bw", "avx512vl",    "avx512dq",    "avx512_vnni",
                                                       "avx512_bf16", "avx512_fp16", "avx_vnni",
                                                       "asimd",       "asimddp"};
  return names[index];
}

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>

/* XCR0: which registers the system saves when it switches threads (Intel SDM volume 1, chapter 13). */
static uint64_t saved_registers(void) {
  uint32_t low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (uint64_t)high << 32 | low;
}

enum { XCR0_YMM = 0x06, XCR0_ZMM = 0xe6 };

static unsigned bit(uint32_t word, int position, unsigned feature) { return word >> position & 1 ? feature : 0; }

unsigned cpu_detect(void) {
  uint32_t a, b, c, d;
  if (!__get_cpuid(1, &a, &b, &c, &d)) return 0;
  int has_xgetbv = c >> 27 & 1;
  uint64_t saved = has_xgetbv ? saved_registers() : 0;
  if ((saved & XCR0_YMM) != XCR0_YMM || !(c >> 28 & 1)) return 0;
  unsigned features = bit(c, 12, CPU_FMA) | bit(c, 29, CPU_F16C);
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return features;
  uint32_t subleaves = a;
  features |= bit(b, 5, CPU_AVX2);
  int has_zmm = (saved & XCR0_ZMM) == XCR0_ZMM;
  if (has_zmm)
    features |= bit(b, 16, CPU_AVX512F) | bit(b, 30, CPU_AVX512BW) | bit(b, 31, CPU_AVX512VL) |
                bit(b, 17, CPU_AVX512DQ) | bit(c, 11, CPU_AVX512VNNI) | bit(d, 23, CPU_AVX512FP16);
  if (subleaves >= 1 && __get_cpuid_count(7, 1, &a, &b, &c, &d))
    features |= bit(a, 4, CPU_AVXVNNI) | (has_zmm ? bit(a, 5, CPU_AVX512BF16) : 0);
  return features;
}

void cpu_name(char *out, size_t capacity) {
  uint32_t words[12] = {0};
  uint32_t highest = __get_cpuid_max(0x80000000u, NULL);
  for (uint32_t i = 0; i < 3 && highest >= 0x80000004u; i++)
    __get_cpuid(0x80000002u + i, &words[4 * i], &words[4 * i + 1], &words[4 * i + 2], &words[4 * i + 3]);
  char name[sizeof words + 1] = {0};
  memcpy(name, words, sizeof words);
  /* Only what needs no escape in JSON; blanks at both ends go. */
  size_t begin = 0, end = strlen(name);
  for (size_t i = 0; i < end; i++)
    if (!isprint((unsigned char)name[i]) || name[i] == '"' || name[i] == '\\') name[i] = ' ';
  while (begin < end && name[begin] == ' ') begin++;
  while (end > begin && name[end - 1] == ' ') end--;
  name[end] = '\0';
  snprintf(out, capacity, "%s", begin < end ? name + begin : "x86");
}

#elif defined(__aarch64__)

/* Vectors are part of the architecture. Of what may be missing the system tells; where we do not know how to ask, it
 * counts as missing. */
#if defined(__linux__)
#include <sys/auxv.h>
#define HWCAP_BIT_ASIMDDP (1ul << 20) /* asm/hwcap.h of Linux on arm64 */
#endif

unsigned cpu_detect(void) {
  unsigned features = CPU_ASIMD;
#if defined(__linux__)
  if (getauxval(AT_HWCAP) & HWCAP_BIT_ASIMDDP) features |= CPU_ASIMDDP;
#endif
  return features;
}

void cpu_name(char *out, size_t capacity) { snprintf(out, capacity, "aarch64"); }

#else

unsigned cpu_detect(void) { return 0; }

void cpu_name(char *out, size_t capacity) { snprintf(out, capacity, "processor"); }

#endif

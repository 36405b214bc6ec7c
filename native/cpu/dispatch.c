/* The tables of kernel_list.h, and which of them this CPU can run. */
#include <stddef.h>

#include "cpu_features.h"
#include "kernels.h"

#define KERNEL(slot, name) .slot = &name,
static const kernel_table ref_table = {SOTTO_KERNELS_REF(KERNEL)};
#if defined(__x86_64__)
static const kernel_table avx2_table = {SOTTO_KERNELS_AVX2(KERNEL)};
static const kernel_table avxvnni_table = {SOTTO_KERNELS_AVXVNNI(KERNEL)};
static const kernel_table avx512_table = {SOTTO_KERNELS_AVX512(KERNEL)};
static const kernel_table avx512vnni_table = {SOTTO_KERNELS_AVX512VNNI(KERNEL)};
static const kernel_table avx512bf16_table = {SOTTO_KERNELS_AVX512BF16(KERNEL)};
static const kernel_table avx512fp16_table = {SOTTO_KERNELS_AVX512FP16(KERNEL)};

#define NEEDS_AVX2 (CPU_AVX2 | CPU_FMA | CPU_F16C)
#define NEEDS_AVX512 (NEEDS_AVX2 | CPU_AVX512F | CPU_AVX512BW | CPU_AVX512VL | CPU_AVX512DQ)
#elif defined(__aarch64__)
static const kernel_table neon_table = {SOTTO_KERNELS_NEON(KERNEL)};
static const kernel_table neondot_table = {SOTTO_KERNELS_NEONDOT(KERNEL)};
#endif
#undef KERNEL

static const kernel_variant variants[] = {
    {"ref", 0, &ref_table},
#if defined(__x86_64__)
    {"avx2", NEEDS_AVX2, &avx2_table},
    {"avxvnni", NEEDS_AVX2 | CPU_AVXVNNI, &avxvnni_table},
    {"avx512", NEEDS_AVX512, &avx512_table},
    {"avx512vnni", NEEDS_AVX512 | CPU_AVX512VNNI, &avx512vnni_table},
    {"avx512bf16", NEEDS_AVX512 | CPU_AVX512VNNI | CPU_AVX512BF16, &avx512bf16_table},
    /* Every processor with F16 has BF16 too, if not at its speed. */
    {"avx512fp16", NEEDS_AVX512 | CPU_AVX512VNNI | CPU_AVX512BF16 | CPU_AVX512FP16, &avx512fp16_table},
#elif defined(__aarch64__)
    {"neon", CPU_ASIMD, &neon_table},
    {"neondot", CPU_ASIMD | CPU_ASIMDDP, &neondot_table},
#endif
};

const kernel_variant *kernel_variants(int *count) {
  *count = (int)(sizeof variants / sizeof *variants);
  return variants;
}

int kernel_variant_runs(const kernel_variant *variant) {
  return (cpu_detect() & variant->features) == variant->features;
}

kernel_table kernel_variant_table(const kernel_variant *variant) {
  kernel_table table = {0};
  for (const kernel_variant *v = variants; v <= variant; v++) {
    if ((v->features & variant->features) != v->features) continue;
#define SLOT(slot, type) \
  if (v->own->slot != NULL) table.slot = v->own->slot;
    SOTTO_KERNEL_SLOTS(SLOT)
#undef SLOT
  }
  return table;
}

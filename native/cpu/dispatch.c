/* The tables of kernel_list.h, and which of them this CPU can run. */
#include <stddef.h>

#include "cpu_features.h"
#include "kernels.h"

#define KERNEL(slot, name) .slot = &name,
static const kernel_table ref_table = {SOTTO_KERNELS_REF(KERNEL)};
#if defined(__x86_64__)
static const kernel_table avx2_table = {SOTTO_KERNELS_AVX2(KERNEL)};
static const kernel_table avx512_table = {SOTTO_KERNELS_AVX512(KERNEL)};
#endif
#undef KERNEL

/* Each runs where the one before it runs, so gaps may be filled from all before. */
static const kernel_variant variants[] = {
    {"ref", 0, &ref_table},
#if defined(__x86_64__)
    {"avx2", CPU_AVX2 | CPU_FMA | CPU_F16C, &avx2_table},
    {"avx512",
     CPU_AVX2 | CPU_FMA | CPU_F16C | CPU_AVX512F | CPU_AVX512BW | CPU_AVX512VL | CPU_AVX512DQ,
     &avx512_table},
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
#define SLOT(slot, type) \
  if (v->own->slot != NULL) table.slot = v->own->slot;
    SOTTO_KERNEL_SLOTS(SLOT)
#undef SLOT
  }
  return table;
}

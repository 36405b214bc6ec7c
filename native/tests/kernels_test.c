/* Tests every kernel of every variant that this CPU can run: deno test -A tests/native/kernels_test.ts
 *
 * Prints a line for each kernel; ends with 1 if one is wrong. An argument names the one variant to test. */
#include <stdio.h>
#include <string.h>

#include "../cpu/cpu_features.h"
#include "kernel_check.h"

/* f16_emulated.c: the kernel for processors with AVX-512 FP16, on any with AVX-512. */
extern gemm_kernel gemm_f16_12x32_emulated;
enum { F16_EMULATION_NEEDS = CPU_AVX2 | CPU_FMA | CPU_F16C | CPU_AVX512F | CPU_AVX512BW | CPU_AVX512VL | CPU_AVX512DQ };

#define KERNEL(slot, name) #slot " " #name,
static const char *const kernel_names[] = {
    SOTTO_KERNELS_REF(KERNEL) SOTTO_KERNELS_AVX2(KERNEL) SOTTO_KERNELS_AVXVNNI(KERNEL)
        SOTTO_KERNELS_AVX512(KERNEL) SOTTO_KERNELS_AVX512VNNI(KERNEL) SOTTO_KERNELS_AVX512BF16(KERNEL) SOTTO_KERNELS_AVX512FP16(KERNEL)
            SOTTO_KERNELS_NEON(KERNEL) SOTTO_KERNELS_NEONDOT(KERNEL)};
#undef KERNEL

/* The listed name of a variant's kernel in a slot: it ends with the variant's. */
static const char *name_of(const char *slot, const char *variant) {
  for (size_t i = 0; i < sizeof kernel_names / sizeof *kernel_names; i++) {
    const char *name = kernel_names[i], *ending = name + strlen(name) - strlen(variant);
    size_t length = strlen(slot);
    if (strncmp(name, slot, length) == 0 && name[length] == ' ' && strcmp(ending, variant) == 0)
      return name + length + 1;
  }
  return slot;
}

static int report(const kernel_check *check) {
  printf("%s %-28s %9lld compared, worst %.2f of tolerance", check->failures == 0 ? "ok  " : "FAIL", check->kernel,
         (long long)check->compared, check->worst);
  if (check->failures > 0) printf(", %d failures", check->failures);
  printf("\n");
  fflush(stdout);
  return check->failures == 0 && check->compared > 0;
}

int main(int count, char **arguments) {
  int variant_count, wrong = 0, tested = 0;
  const kernel_variant *variants = kernel_variants(&variant_count);
  for (int i = 0; i < variant_count; i++) {
    const kernel_variant *variant = &variants[i];
    if (count > 1 && strcmp(arguments[1], variant->name) != 0) continue;
    if (!kernel_variant_runs(variant)) {
      printf("skip %s: this CPU cannot run it\n", variant->name);
      continue;
    }
#define SLOT(slot, type)                                             \
  if (variant->own->slot != NULL) {                                  \
    kernel_check check = {.kernel = name_of(#slot, variant->name)};  \
    test_##slot(&check, variant->own->slot);                         \
    wrong += !report(&check);                                        \
    tested++;                                                        \
  }
    SOTTO_KERNEL_SLOTS(SLOT)
#undef SLOT
  }
#if defined(__x86_64__)
  if (count == 1 && (cpu_detect() & F16_EMULATION_NEEDS) == F16_EMULATION_NEEDS) {
    kernel_check check = {.kernel = "gemm_f16_12x32 on emulated F16"};
    test_gemm_f16(&check, &gemm_f16_12x32_emulated);
    wrong += !report(&check);
    tested++;
  }
#endif
  printf("%d kernels, %d wrong\n", tested, wrong);
  return wrong > 0 || tested == 0;
}

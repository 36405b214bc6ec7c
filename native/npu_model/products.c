#include "products.h"

#include "../cpu/cpu_features.h"

const product_kernels *products(void) {
#if defined(__x86_64__)
  const unsigned features = cpu_detect(), wide = CPU_AVX512F | CPU_AVX512BW | CPU_AVX512VL | CPU_AVX512DQ;
  if ((features & wide) == wide) return &products_avx512;
  if ((features & (CPU_AVX2 | CPU_FMA | CPU_F16C)) == (CPU_AVX2 | CPU_FMA | CPU_F16C)) return &products_avx2;
#endif
  return &products_ref;
}

/* The words of AVX2 (../avx2/lanes.h), with products of bytes. */
#define LANES_MULTIPLY_BYTES
#include "../avx2/lanes_i8.h"

#undef LANES_KERNEL
#define LANES_KERNEL(name) name##_avxvnni

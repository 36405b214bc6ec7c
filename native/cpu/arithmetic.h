/* How fast this processor computes in each arithmetic: asked of the processor, because its name does not say. BF16 is twice
 * as fast as F32 on one that has AVX-512 BF16, and half as fast on another. */
#ifndef SOTTO_ARITHMETIC_H
#define SOTTO_ARITHMETIC_H

#include "kernels.h"
#include "sotto_cpu.h"

/* The kernel that measures an arithmetic; NULL for one there is none for. */
peak_kernel *arithmetic_peak(const kernel_table *kernels, int arithmetic);

/* Its name, as in sotto_cpu_context_describe; NULL for one there is none of. */
const char *arithmetic_name(int arithmetic);

/* Operations a second of this thread in each arithmetic, 0 where there is none. Takes a fraction of a millisecond. */
void arithmetic_rates(const kernel_table *kernels, double rates[SOTTO_ARITHMETIC_I8 + 1]);

#endif

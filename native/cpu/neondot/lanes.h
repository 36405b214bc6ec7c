/* The words of ../neon, with the dot product of bytes that ARMv8.2 may have and ARMv8.4 has. */
#define LANES_HAVE_DOT
#include "../neon/lanes_i8.h"

#undef LANES_KERNEL
#define LANES_KERNEL(name) name##_neondot

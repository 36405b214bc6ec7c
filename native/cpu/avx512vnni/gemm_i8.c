#include "lanes.h"
#include "../avx512/lanes_transpose.h"
#include "../avx512/tile.h"

#define GEMM_NAME gemm_i8_12x32_avx512vnni
#define GEMM_KC 512                   /* a panel's block: 18 KiB of 48, beside the sums of a tile */
#define GEMM_BLOCK_BYTES (384 << 10) /* of a second-level cache of 1 MiB */

#include "../lanes/gemm_i8.h"

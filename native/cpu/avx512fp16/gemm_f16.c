#include "lanes.h"
#include "../avx512/lanes_transpose.h"
#include "../avx512/tile.h"

#define GEMM_NAME gemm_f16_12x32_avx512fp16
#define GEMM_KC 512                   /* a panel's block: 32 KiB of 48 */
#define GEMM_BLOCK_BYTES (384 << 10) /* of a second-level cache of 2 MiB */

#include "../lanes/gemm_f16.h"

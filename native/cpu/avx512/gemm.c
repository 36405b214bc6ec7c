#include "lanes.h"
#include "lanes_transpose.h"
#include "tile.h"

#define GEMM_NAME gemm_f32_12x32_avx512
#define GEMM_KC 256                   /* a panel's block: 32 KiB of 48 */
#define GEMM_BLOCK_BYTES (384 << 10) /* of a second-level cache of 1 MiB */

#include "../lanes/gemm.h"

#include "lanes.h"
#include "lanes_transpose.h"
#include "tile.h"

#define GEMM_NAME gemm_f32_4x16_neon
#define GEMM_KC 256 /* a panel's block: 16 KiB of 32 */
#define GEMM_BLOCK_BYTES (128 << 10) /* of a second-level cache of 256 KiB, often shared by several cores */

#include "../lanes/gemm.h"

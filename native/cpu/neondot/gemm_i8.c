#include "lanes.h"
#include "../neon/lanes_transpose.h"
#include "../neon/tile.h"

#define GEMM_NAME gemm_i8_4x16_neondot
#define GEMM_KC 512 /* a panel's block: 9 KiB of 32 */
#define GEMM_BLOCK_BYTES (128 << 10) /* of a second-level cache of 256 KiB */

#include "../lanes/gemm_i8.h"

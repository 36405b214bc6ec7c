#include "lanes.h"
#include "../avx2/lanes_transpose.h"
#include "../avx2/tile.h"

#define GEMM_NAME gemm_i8_6x16_avxvnni
#define GEMM_KC 512 /* a panel's block: 9 KiB of 32 */
#define GEMM_BLOCK_BYTES (128 << 10) /* of a second-level cache of 256 KiB */

#include "../lanes/gemm_i8.h"

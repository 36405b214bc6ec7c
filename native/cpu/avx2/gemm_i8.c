#include "lanes_i8.h"
#include "lanes_transpose.h"
#include "tile.h"

#define GEMM_NAME gemm_i8_6x16_avx2
#define GEMM_KC 256 /* a panel's block: 8.5 KiB of 32 */
#define GEMM_BLOCK_BYTES (128 << 10) /* of a second-level cache of 256 KiB */

#include "../lanes/gemm_i8.h"

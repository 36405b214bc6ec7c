#include "lanes.h"
#include "lanes_transpose.h"
#include "tile.h"

#define GEMM_NAME gemm_f32_12x32_avx512
#ifndef GEMM_KC
#define GEMM_KC 256 /* a panel's block: 32 KiB of 48 */
#endif
#ifndef GEMM_MC
#define GEMM_MC 96
#endif

#include "../lanes/gemm.h"

/* The product in F16 with its one instruction of AVX-512 FP16 computed in double precision: all else of the kernel, packing
 * and runs and edges, is then tested wherever AVX-512 is. */
#if defined(__x86_64__)
#pragma GCC target("avx2,fma,f16c,avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")

#define F16_IS_EMULATED
#include "../cpu/avx512fp16/lanes.h"
#include "../cpu/avx512/lanes_transpose.h"
#include "../cpu/avx512/tile.h"
#include "../cpu/f16_scalar.h"

static inline lanes lanes_fma_f16(lanes a, lanes b, lanes c) {
  float left[2 * LANES], right[2 * LANES], sums[2 * LANES];
  for (int i = 0; i < 2; i++) {
    const __m512i shift = _mm512_set1_epi32(16 * i);
    lanes_store(left + i * LANES, _mm512_cvtph_ps(_mm512_cvtepi32_epi16(_mm512_srlv_epi32(_mm512_castps_si512(a), shift))));
    lanes_store(right + i * LANES, _mm512_cvtph_ps(_mm512_cvtepi32_epi16(_mm512_srlv_epi32(_mm512_castps_si512(b), shift))));
    lanes_store(sums + i * LANES, _mm512_cvtph_ps(_mm512_cvtepi32_epi16(_mm512_srlv_epi32(_mm512_castps_si512(c), shift))));
  }
  for (int i = 0; i < 2 * LANES; i++) sums[i] = f16_multiply_add(left[i], right[i], sums[i]);
  return lanes_pair_up(lanes_load(sums), lanes_load(sums + LANES));
}

#define GEMM_NAME gemm_f16_12x32_emulated
#define GEMM_KC 128 /* several blocks in what the test can wait for */
#define GEMM_BLOCK_BYTES (64 << 10)

#include "../cpu/lanes/gemm_f16.h"
#endif

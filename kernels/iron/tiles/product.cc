// The tile kernels of a product of i8 or bf16: C [M, N] = Σ A [M, K] · B [K, N], by r×s, s×t and r×t blocks.
//
// Sums are INT32 and exact (modulo 2³²), or F32: the multiplier adds the s products of a step to a sum in an order of its
// own, steps follow each other. A narrower C is made once, at the end, to the nearest even.
//
// NOT COMPILED FOR AN NPU WHERE IT WAS WRITTEN; tests/iron compiles it as plain C++ on a stand-in of the AIE API.
// Settings: DIM_M … DIM_T, INPUT_i8 or INPUT_bf16, OUTPUT_i32, OUTPUT_f32 or OUTPUT_bf16 (recipes.py).
#include "clear.h"
#include "multiply.h"

#if defined(INPUT_i8) && defined(OUTPUT_i32)
using Input = int8;
using Sum = int32;
#elif defined(INPUT_bf16) && (defined(OUTPUT_f32) || defined(OUTPUT_bf16))
using Input = bfloat16;
using Sum = float;
#else
#error "no tile kernel has these types"
#endif

static_assert(DIM_M % (2 * DIM_R) == 0 && DIM_K % DIM_S == 0 && DIM_N % (2 * DIM_T) == 0,
              "blocks are taken two by two");

extern "C" {

void tile_clear(Sum *c) { clear(c, DIM_M * DIM_N); }

void tile_multiply(const Input *a, const Input *b, Sum *c) {
  multiply_blocks<DIM_R, DIM_S, DIM_T>(a, b, c, DIM_M / DIM_R, DIM_K / DIM_S, DIM_N / DIM_T);
}

#ifdef OUTPUT_bf16
void tile_narrow(const float *sums, bfloat16 *c) {
  aie::set_rounding(aie::rounding_mode::conv_even);
  for (unsigned i = 0; i < DIM_M * DIM_N; i += 16) {
    aie::accum<accfloat, 16> wide;
    wide.from_vector(aie::load_v<16>(sums + i));
    aie::store_v(c + i, wide.to_vector<bfloat16>());
  }
}
#endif
}

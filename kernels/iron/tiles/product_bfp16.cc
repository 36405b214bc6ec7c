// The tile kernels of a product of bfp16 (bfp16ebs8): C [M, N] += A [M, K] · Bᵀ, B as [N, K], C in F32.
//
// A and B come by 8×8 blocks of 72 bytes, left to right, top to bottom; a block's row is an exponent and eight mantissas
// along K. Such bytes have no alignment, so they are read as streams. C is by 8×8 blocks too. XDNA2 alone.
//
// NOT COMPILED FOR AN NPU WHERE IT WAS WRITTEN; tests/iron compiles it as plain C++ on a stand-in of the AIE API.
// Settings: DIM_M, DIM_K, DIM_N (recipes.py).
#include "clear.h"

namespace {

constexpr unsigned SIDE = 8, BLOCK = SIDE * SIDE;
constexpr unsigned ROWS = DIM_M / SIDE, DEPTH = DIM_K / SIDE, COLUMNS = DIM_N / SIDE;

static_assert(DIM_R == SIDE && DIM_S == SIDE && DIM_T == SIDE, "the multiplier takes 8×8 blocks");
static_assert(ROWS % 2 == 0 && COLUMNS % 2 == 0, "blocks are taken two by two");

using Blocks = aie::block_vector_input_buffer_stream<bfp16ebs8, BLOCK>;
using Accumulator = aie::accum<accfloat, BLOCK>;

} // namespace

extern "C" {

void tile_clear(float *c) { clear(c, DIM_M * DIM_N); }

void tile_multiply(const bfp16ebs8 *a, const bfp16ebs8 *b, float *c) {
  for (unsigned row = 0; row < ROWS; row += 2)
    for (unsigned column = 0; column < COLUMNS; column += 2) {
      Blocks upper_a(a), lower_a(a), left_b(b), right_b(b);
      upper_a.seek(row * DEPTH);
      lower_a.seek((row + 1) * DEPTH);
      left_b.seek(column * DEPTH);
      right_b.seek((column + 1) * DEPTH);
      float *upper_c = c + (row * COLUMNS + column) * BLOCK, *lower_c = upper_c + COLUMNS * BLOCK;
      Accumulator c00(aie::load_v<BLOCK>(upper_c)), c01(aie::load_v<BLOCK>(upper_c + BLOCK));
      Accumulator c10(aie::load_v<BLOCK>(lower_c)), c11(aie::load_v<BLOCK>(lower_c + BLOCK));
      for (unsigned step = 0; step < DEPTH; step++) {
        const auto a0 = upper_a.pop(), a1 = lower_a.pop();
        const auto b0 = left_b.pop(), b1 = right_b.pop();
        c00 = mac_8x8_8x8T(a0, b0, c00);
        c01 = mac_8x8_8x8T(a0, b1, c01);
        c10 = mac_8x8_8x8T(a1, b0, c10);
        c11 = mac_8x8_8x8T(a1, b1, c11);
      }
      aie::store_v(upper_c, c00.to_vector<float>());
      aie::store_v(upper_c + BLOCK, c01.to_vector<float>());
      aie::store_v(lower_c, c10.to_vector<float>());
      aie::store_v(lower_c + BLOCK, c11.to_vector<float>());
    }
}
}

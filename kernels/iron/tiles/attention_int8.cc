// The tile kernels of attention on one tile of int8, O = softmax(q · k / 8) V [64, 64], numbers being sixteenths. The
// predecessor's arithmetic is not published; this is the definition of native/npu_model/seed_attention.c: weights stay in
// F32, sums are made in the keys' order, results are rounded to the nearest even and kept within int8.
//
// Q, K and V come by 8×8 blocks. Queries lie in a vector's lanes; the scores are K·Qᵀ [keys, queries]. XDNA1's multiplier,
// 4×8 · 8×8.
//
// NOT COMPILED FOR AN NPU WHERE IT WAS WRITTEN; tests/iron compiles it as plain C++ on a stand-in of the AIE API.
#include "exponential.h"

namespace {

constexpr unsigned SIDE = 64, BLOCKS = SIDE / 8, LANES = 16;
constexpr float SCORE_SCALE = 1.0f / 2048.0f; // 1/16 · 1/16 · 1/√64

using Multiplier = aie::mmul<4, 8, 8, int8, int8>;
using Floats = aie::vector<float, LANES>;

// Where a value of a tile by 8×8 blocks lies.
constexpr unsigned place(unsigned row, unsigned column) {
  return (row / 8 * BLOCKS + column / 8) * 64 + row % 8 * 8 + column % 8;
}

} // namespace

extern "C" {

// Each of the queries' blocks, turned: Qᵀ [width, queries] by 8×8 blocks, columns of blocks first.
void attention_tile_turn(const int8 *queries, int8 *turned) {
  for (unsigned block = 0; block < BLOCKS * BLOCKS; block++)
    aie::store_v(turned + block * 64, aie::transpose(aie::load_v<64>(queries + block * 64), 8, 8));
}

// Scaled scores, F32 [keys, queries].
void attention_tile_score(const int8 *turned, const int8 *keys, float *scores) {
  for (unsigned row = 0; row < SIDE; row += 4)
    for (unsigned column = 0; column < SIDE; column += 8) {
      Multiplier sums;
      for (unsigned depth = 0; depth < SIDE; depth += 8) {
        const auto a = aie::load_v<32>(keys + place(row, depth));
        const auto b = aie::load_v<64>(turned + place(column, depth));
        if (depth == 0) sums.mul(a, b);
        else sums.mac(a, b);
      }
      const auto values = aie::to_float(sums.to_vector<int32>());
      const auto scaled = times(values, aie::broadcast<float, 32>(SCORE_SCALE));
      for (unsigned i = 0; i < 4; i++) aie::store_v(scores + (row + i) * SIDE + column, scaled.extract<8>(i));
    }
}

// O, row-major, of the scores and the values.
void attention_tile_weigh(float *scores, const int8 *values, int8 *out) {
  for (unsigned first = 0; first < SIDE; first += LANES) {
    float *lanes = scores + first;
    Floats highest = aie::load_v<LANES>(lanes), total = aie::zeros<float, LANES>();
    for (unsigned key = 1; key < SIDE; key++) highest = aie::max(highest, aie::load_v<LANES>(lanes + key * SIDE));
    for (unsigned key = 0; key < SIDE; key++) {
      const Floats weight = exponential(aie::sub(aie::load_v<LANES>(lanes + key * SIDE), highest));
      aie::store_v(lanes + key * SIDE, weight);
      total = aie::add(total, weight);
    }
    for (unsigned column = 0; column < SIDE; column++) {
      Floats sum = aie::zeros<float, LANES>();
      for (unsigned key = 0; key < SIDE; key++) {
        const Floats value = aie::broadcast<float, LANES>(static_cast<float>(values[place(key, column)]));
        sum = aie::add(sum, times(aie::load_v<LANES>(lanes + key * SIDE), value));
      }
      const auto bound = [](float at) { return aie::broadcast<float, LANES>(at); };
      const Floats mean = aie::min(aie::max(aie::div(sum, total), bound(-128.0f)), bound(127.0f));
      // Adding it leaves the nearest integer, halves to even, in the last bits.
      const Floats rounder = bound(12582912.0f);
      const auto whole = aie::sub(aie::add(mean, rounder).cast_to<int32>(), rounder.cast_to<int32>());
      for (unsigned i = 0; i < LANES; i++) out[(first + i) * SIDE + column] = static_cast<int8>(whole.get(i));
    }
  }
}
}

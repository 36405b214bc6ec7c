// The tile kernels of attention, O = softmax(scale · Q Kᵀ) V, over tiles of 64 keys with a running softmax:
//
//     s = scale · (q · k)                                  keys that are masked have p = 0
//     m' = max(m, max s);  a = exp(m - m');  p = bf16(exp(s - m'))
//     l = a·l + (p0 + p1 + …);  o = a·o + (p0·v0 + p1·v1 + …)
//
// and o / l at the end. Queries lie in a vector's lanes, so that maxima and sums over keys need no reduction and are made in
// the keys' order: scores are Sᵀ = K·Qᵀ [keys, queries], results Oᵀ = Vᵀ·Pᵀ [width, queries]. All is [64, 64].
//
//     Q    comes by 8×8 blocks, columns of blocks first     turned to Qᵀ by 8×t blocks, where it lies
//     K    by 4×8 blocks                                    as it is
//     V    by 4×8 blocks                                    turned to Vᵀ by 4×8 blocks, where it lies
//     Pᵀ   by 8×t blocks, in the results' place
//     Oᵀ   F32 by 4×t blocks; O goes out row-major
//
// NOT COMPILED FOR AN NPU WHERE IT WAS WRITTEN; tests/iron compiles it as plain C++ on a stand-in of the AIE API.
// Setting: DIM_T, 4 (XDNA1) or 8 (XDNA2): the multiplier takes 4×8 · 8×t (recipes.py).
#include "clear.h"
#include "exponential.h"

namespace {

constexpr unsigned SIDE = 64, R = 4, S = 8, T = DIM_T, LANES = 16;
constexpr unsigned REGIONS = SIDE / 8;       // 8×8 values each
constexpr unsigned BLOCK_A = R * S, BLOCK_B = S * T, BLOCK_C = R * T;
constexpr unsigned T_BLOCKS = SIDE / T;      // across
constexpr float LOWEST = -1e30f;             // far below any score, and no infinity

static_assert(T == 4 || T == 8, "the bf16 multiplier gives 4×4 or 4×8");

using Multiplier = aie::mmul<R, S, T, bfloat16, bfloat16>;
using Floats = aie::vector<float, LANES>;
using Block8x8 = aie::vector<bfloat16, 64>;

struct attention_state {
  float maximum[SIDE], total[SIDE], shrink[SIDE];
  float scale;
  uint32_t keys, seen;
};
static_assert(sizeof(attention_state) <= 4 * (3 * SIDE + 16), "attention.py reserves this");

// T queries' factors for an R×T block: the same row R times.
aie::vector<float, BLOCK_C> for_rows(const float *lanes) {
  const aie::vector<float, T> row = aie::load_v<T>(lanes);
  return aie::concat(row, row, row, row);
}

// V's regions of 8×8: two 4×8 blocks, one below the other.
Block8x8 load_region(const bfloat16 *tile, unsigned row, unsigned column) {
  return aie::concat(aie::load_v<BLOCK_A>(tile + (2 * row * REGIONS + column) * BLOCK_A),
                     aie::load_v<BLOCK_A>(tile + ((2 * row + 1) * REGIONS + column) * BLOCK_A));
}

void store_region(bfloat16 *tile, unsigned row, unsigned column, const Block8x8 &values) {
  aie::store_v(tile + (2 * row * REGIONS + column) * BLOCK_A, values.extract<BLOCK_A>(0));
  aie::store_v(tile + ((2 * row + 1) * REGIONS + column) * BLOCK_A, values.extract<BLOCK_A>(1));
}

// [keys, width] by 4×8 blocks becomes [width, keys] by 4×8 blocks.
void turn_values(bfloat16 *tile) {
  for (unsigned row = 0; row < REGIONS; row++)
    for (unsigned column = 0; column <= row; column++) {
      const Block8x8 one = aie::transpose(load_region(tile, row, column), 8, 8);
      const Block8x8 other = aie::transpose(load_region(tile, column, row), 8, 8);
      store_region(tile, column, row, one);
      store_region(tile, row, column, other);
    }
}

// [queries, width] by 8×8 blocks, columns of blocks first, becomes [width, queries] by 8×T blocks.
void turn_queries(bfloat16 *tile) {
  for (unsigned block = 0; block < REGIONS * REGIONS; block++) {
    bfloat16 *place = tile + block * 64;
    const Block8x8 values = aie::load_v<64>(place);
    if constexpr (T == 8) {
      aie::store_v(place, aie::transpose(values, 8, 8));
    } else {
      aie::store_v(place, aie::transpose(values.extract<32>(0), 4, 8));
      aie::store_v(place + 32, aie::transpose(values.extract<32>(1), 4, 8));
    }
  }
}

// Two vectors' runs of T values in turn: a's first, b's first, a's second …
template <unsigned N>
aie::vector<bfloat16, 2 * N> in_turn(const aie::vector<bfloat16, N> &a, const aie::vector<bfloat16, N> &b) {
  const auto [first, second] = aie::interleave_zip(a, b, T);
  return aie::concat(first, second);
}

// Eight keys' weights of 16 queries, one key a vector, as 8×T blocks.
void store_weights(bfloat16 *to, const aie::vector<bfloat16, LANES> (&keys)[8]) {
  const auto even = in_turn(in_turn(keys[0], keys[4]), in_turn(keys[2], keys[6]));
  const auto odd = in_turn(in_turn(keys[1], keys[5]), in_turn(keys[3], keys[7]));
  const auto [first, second] = aie::interleave_zip(even, odd, T);
  aie::store_v(to, first);
  aie::store_v(to + 64, second);
}

// Scores of 16 queries, from `first` on, as [keys, 16].
void score_lanes(const bfloat16 *queries, const bfloat16 *keys, unsigned first, float *scores) {
  for (unsigned row = 0; row < SIDE / R; row++)
    for (unsigned block = 0; block < LANES / T; block++) {
      Multiplier sums;
      for (unsigned depth = 0; depth < REGIONS; depth++) {
        const auto a = aie::load_v<BLOCK_A>(keys + (row * REGIONS + depth) * BLOCK_A);
        const auto b = aie::load_v<BLOCK_B>(queries + (depth * T_BLOCKS + first / T + block) * BLOCK_B);
        if (depth == 0) sums.mul(a, b);
        else sums.mac(a, b);
      }
      const aie::vector<float, BLOCK_C> values = sums.to_vector<float>();
      for (unsigned i = 0; i < R; i++)
        aie::store_v(scores + (row * R + i) * LANES + block * T, values.extract<T>(i));
    }
}

// Scores become weights; the running maximum, sum and shrinkage of these 16 queries go on.
void weigh_lanes(float *scores, unsigned valid, unsigned first, attention_state *state, bfloat16 *weights) {
  const Floats scale = aie::broadcast<float, LANES>(state->scale);
  const Floats before = aie::load_v<LANES>(state->maximum + first);
  Floats highest = before;
  for (unsigned key = 0; key < valid; key++) {
    const Floats scaled = times(aie::load_v<LANES>(scores + key * LANES), scale);
    aie::store_v(scores + key * LANES, scaled);
    highest = aie::max(highest, scaled);
  }
  const Floats shrink = exponential(aie::sub(before, highest));
  Floats added = aie::zeros<float, LANES>();
  for (unsigned group = 0; group < SIDE; group += 8) {
    aie::vector<bfloat16, LANES> rows[8];
    for (unsigned i = 0; i < 8; i++) {
      rows[i] = aie::zeros<bfloat16, LANES>();
      if (group + i >= valid) continue;
      aie::accum<accfloat, LANES> power, rounded;
      power.from_vector(exponential(aie::sub(aie::load_v<LANES>(scores + (group + i) * LANES), highest)));
      rows[i] = power.to_vector<bfloat16>();
      rounded.from_vector(rows[i]);
      added = aie::add(added, rounded.to_vector<float>());
    }
    store_weights(weights + group * SIDE + first * 8, rows);
  }
  const Floats kept = times(aie::load_v<LANES>(state->total + first), shrink);
  aie::store_v(state->total + first, aie::add(kept, added));
  aie::store_v(state->maximum + first, highest);
  aie::store_v(state->shrink + first, shrink);
}

} // namespace

extern "C" {

// Before a tile of queries. `words`: program, tiles of keys, keys that count (0: all), bits of the scale (0: 1.0).
void attention_begin(bfloat16 *queries, float *sums, float *memory, const int32_t *words) {
  aie::set_rounding(aie::rounding_mode::conv_even);
  attention_state *state = reinterpret_cast<attention_state *>(memory);
  turn_queries(queries);
  clear(sums, SIDE * SIDE);
  clear(state->total, SIDE);
  for (unsigned i = 0; i < SIDE; i += LANES) aie::store_v(state->maximum + i, aie::broadcast<float, LANES>(LOWEST));
  state->scale = 1.0f;
  if (words[3] != 0) __builtin_memcpy(&state->scale, words + 3, sizeof state->scale);
  state->keys = words[2] == 0 ? static_cast<uint32_t>(words[1]) * SIDE : static_cast<uint32_t>(words[2]);
  state->seen = 0;
}

// A tile of keys: the weights of the values that follow.
void attention_score(const bfloat16 *queries, const bfloat16 *keys, bfloat16 *weights, float *scores, float *memory) {
  attention_state *state = reinterpret_cast<attention_state *>(memory);
  const uint32_t left = state->keys > state->seen ? state->keys - state->seen : 0;
  for (unsigned first = 0; first < SIDE; first += LANES) {
    score_lanes(queries, keys, first, scores);
    weigh_lanes(scores, left < SIDE ? left : SIDE, first, state, weights);
  }
  state->seen += SIDE;
}

// Its tile of values.
void attention_gather(const bfloat16 *weights, bfloat16 *values, float *sums, float *memory) {
  const attention_state *state = reinterpret_cast<const attention_state *>(memory);
  turn_values(values);
  for (unsigned row = 0; row < SIDE / R; row++)
    for (unsigned block = 0; block < T_BLOCKS; block++) {
      Multiplier product;
      for (unsigned depth = 0; depth < REGIONS; depth++) {
        const auto a = aie::load_v<BLOCK_A>(values + (row * REGIONS + depth) * BLOCK_A);
        const auto b = aie::load_v<BLOCK_B>(weights + (depth * T_BLOCKS + block) * BLOCK_B);
        if (depth == 0) product.mul(a, b);
        else product.mac(a, b);
      }
      float *place = sums + (row * T_BLOCKS + block) * BLOCK_C;
      const auto kept = times(aie::load_v<BLOCK_C>(place), for_rows(state->shrink + block * T));
      aie::store_v(place, aie::add(kept, product.to_vector<float>()));
    }
}

// After the last: O [queries, width], row-major, to the nearest even.
void attention_finish(const float *sums, bfloat16 *out, float *memory) {
  const attention_state *state = reinterpret_cast<const attention_state *>(memory);
  for (unsigned row = 0; row < SIDE / R; row += 2)
    for (unsigned block = 0; block < T_BLOCKS; block++) {
      const auto totals = for_rows(state->total + block * T);
      aie::accum<accfloat, BLOCK_C> upper, lower;
      upper.from_vector(aie::div(aie::load_v<BLOCK_C>(sums + (row * T_BLOCKS + block) * BLOCK_C), totals));
      lower.from_vector(aie::div(aie::load_v<BLOCK_C>(sums + ((row + 1) * T_BLOCKS + block) * BLOCK_C), totals));
      const auto both = aie::concat(upper.to_vector<bfloat16>(), lower.to_vector<bfloat16>()); // [8, T]
      const auto turned = aie::transpose(both, 8, T);
      for (unsigned i = 0; i < T; i++) aie::store_v(out + (block * T + i) * SIDE + row * R, turned.extract<8>(i));
    }
}
}

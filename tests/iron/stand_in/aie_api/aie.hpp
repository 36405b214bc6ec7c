// A stand-in for the parts of the AIE API that kernels/iron/tiles uses, as plain loops: names, sizes and alignment of the
// real one, and of its arithmetic what is defined. Sums of products are made in order, each operation rounded once in F32:
// so does native/npu_model. A real multiplier adds the products of one step in an order of its own.
#ifndef SOTTO_AIE_STAND_IN_H
#define SOTTO_AIE_STAND_IN_H

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

using int8 = int8_t;
using int32 = int32_t;

struct bfloat16 {
  uint16_t code;
};
struct bfp16ebs8 {
  uint8_t byte;
};
struct acc32 {};
struct accfloat {};

namespace aie {

enum class rounding_mode { floor, conv_even };
// What a core begins with.
inline rounding_mode current_rounding = rounding_mode::floor;
inline void set_rounding(rounding_mode mode) { current_rounding = mode; }

namespace stand_in {

inline uint32_t bits_of(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}
inline float float_of(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

template <typename Value> struct number {
  using sum = int32_t;
  static int32_t widen(Value value) { return value; }
  static Value narrow(int32_t value) { return static_cast<Value>(value); }
};
template <> struct number<float> {
  using sum = float;
  static float widen(float value) { return value; }
  static float narrow(float value) { return value; }
};
template <> struct number<bfloat16> {
  using sum = float;
  static float widen(bfloat16 value) { return float_of(static_cast<uint32_t>(value.code) << 16); }
  static bfloat16 narrow(float value) {
    const uint32_t bits = bits_of(value);
    if (value != value) return {0x7fc0};
    const uint32_t half = current_rounding == rounding_mode::conv_even ? 0x7fff + (bits >> 16 & 1) : 0;
    return {static_cast<uint16_t>((bits + half) >> 16)};
  }
};
template <typename Value> using sum_of = typename number<Value>::sum;

template <typename Tag> struct tagged;
template <> struct tagged<accfloat> {
  using sum = float;
};
template <> struct tagged<acc32> {
  using sum = int32_t;
};

// Vectors of less than 128 bits do not exist, and a load of a vector wants its address aligned, up to 64 bytes.
template <typename Value, unsigned N> void require_aligned(const Value *address) {
  const size_t bytes = N * sizeof(Value);
  if (reinterpret_cast<uintptr_t>(address) % (bytes < 64 ? bytes : 64) == 0) return;
  std::fprintf(stderr, "a vector of %zu bytes at %p is not aligned\n", bytes, static_cast<const void *>(address));
  std::abort();
}

} // namespace stand_in

template <typename Value, unsigned N> struct vector {
  static_assert((N & (N - 1)) == 0 && N * sizeof(Value) >= 16, "no such vector");
  Value values[N];

  Value get(unsigned index) const { return values[index]; }
  template <unsigned Count> vector<Value, Count> extract(unsigned index) const {
    vector<Value, Count> part;
    std::memcpy(part.values, values + index * Count, sizeof part.values);
    return part;
  }
  template <typename Other> auto cast_to() const {
    vector<Other, N * sizeof(Value) / sizeof(Other)> other;
    std::memcpy(other.values, values, sizeof values);
    return other;
  }
};

template <unsigned N, typename Value> vector<Value, N> load_v(const Value *from) {
  stand_in::require_aligned<Value, N>(from);
  vector<Value, N> loaded;
  std::memcpy(loaded.values, from, sizeof loaded.values);
  return loaded;
}
template <typename Value, unsigned N> void store_v(Value *to, const vector<Value, N> &values) {
  stand_in::require_aligned<Value, N>(to);
  std::memcpy(to, values.values, sizeof values.values);
}
template <typename Value, unsigned N> vector<Value, N> broadcast(Value value) {
  vector<Value, N> all;
  for (Value &each : all.values) each = value;
  return all;
}
template <typename Value, unsigned N> vector<Value, N> zeros() {
  vector<Value, N> all;
  std::memset(all.values, 0, sizeof all.values);
  return all;
}

template <typename Tag, unsigned N> struct accum {
  using Sum = typename stand_in::tagged<Tag>::sum;
  Sum sums[N];

  accum() = default;
  template <typename Value> explicit accum(const vector<Value, N> &values) { from_vector(values); }
  template <typename Value> void from_vector(const vector<Value, N> &values) {
    for (unsigned i = 0; i < N; i++) sums[i] = stand_in::number<Value>::widen(values.values[i]);
  }
  template <typename Value> vector<Value, N> to_vector() const {
    vector<Value, N> values;
    for (unsigned i = 0; i < N; i++) values.values[i] = stand_in::number<Value>::narrow(sums[i]);
    return values;
  }
};

namespace stand_in {
template <typename Value, unsigned N, typename Operation>
vector<Value, N> each(const vector<Value, N> &a, const vector<Value, N> &b, Operation operation) {
  vector<Value, N> result;
  for (unsigned i = 0; i < N; i++) result.values[i] = operation(a.values[i], b.values[i]);
  return result;
}
} // namespace stand_in

template <typename Value, unsigned N> auto add(const vector<Value, N> &a, const vector<Value, N> &b) {
  return stand_in::each(a, b, [](Value x, Value y) { return static_cast<Value>(x + y); });
}
template <typename Value, unsigned N> auto sub(const vector<Value, N> &a, const vector<Value, N> &b) {
  return stand_in::each(a, b, [](Value x, Value y) { return static_cast<Value>(x - y); });
}
template <typename Value, unsigned N> auto max(const vector<Value, N> &a, const vector<Value, N> &b) {
  return stand_in::each(a, b, [](Value x, Value y) { return x > y ? x : y; });
}
template <typename Value, unsigned N> auto min(const vector<Value, N> &a, const vector<Value, N> &b) {
  return stand_in::each(a, b, [](Value x, Value y) { return x < y ? x : y; });
}
template <unsigned N> auto div(const vector<float, N> &a, const vector<float, N> &b) {
  return stand_in::each(a, b, [](float x, float y) { return x / y; });
}
template <unsigned N> accum<accfloat, N> mul(const vector<float, N> &a, const vector<float, N> &b) {
  return accum<accfloat, N>(stand_in::each(a, b, [](float x, float y) { return x * y; }));
}
template <unsigned N> vector<float, N> to_float(const vector<int32, N> &from) {
  vector<float, N> values;
  for (unsigned i = 0; i < N; i++) values.values[i] = static_cast<float>(from.values[i]);
  return values;
}
template <unsigned N> vector<int32, N> upshift(const vector<int32, N> &from, unsigned shift) {
  vector<int32, N> shifted;
  for (unsigned i = 0; i < N; i++)
    shifted.values[i] = static_cast<int32>(static_cast<uint32_t>(from.values[i]) << shift);
  return shifted;
}

template <unsigned N> struct mask {
  bool bits[N];
};
template <typename Value, unsigned N> mask<N> lt(const vector<Value, N> &a, const vector<Value, N> &b) {
  mask<N> less;
  for (unsigned i = 0; i < N; i++) less.bits[i] = a.values[i] < b.values[i];
  return less;
}
// `b` where the mask is set.
template <typename Value, unsigned N>
vector<Value, N> select(const vector<Value, N> &a, const vector<Value, N> &b, const mask<N> &choice) {
  vector<Value, N> chosen;
  for (unsigned i = 0; i < N; i++) chosen.values[i] = choice.bits[i] ? b.values[i] : a.values[i];
  return chosen;
}

template <typename Value, unsigned N, typename... More>
vector<Value, N *(1 + sizeof...(More))> concat(const vector<Value, N> &first, const More &...more) {
  vector<Value, N *(1 + sizeof...(More))> all;
  const Value *parts[] = {first.values, more.values...};
  for (unsigned i = 0; i <= sizeof...(More); i++) std::memcpy(all.values + i * N, parts[i], sizeof first.values);
  return all;
}
// Runs of `step` values of a and b in turn, as two vectors.
template <typename Value, unsigned N>
std::pair<vector<Value, N>, vector<Value, N>> interleave_zip(const vector<Value, N> &a, const vector<Value, N> &b,
                                                             unsigned step) {
  Value all[2 * N];
  for (unsigned i = 0; i < N; i++) {
    const unsigned run = i / step, inside = i % step;
    all[2 * run * step + inside] = a.values[i];
    all[(2 * run + 1) * step + inside] = b.values[i];
  }
  std::pair<vector<Value, N>, vector<Value, N>> both;
  std::memcpy(both.first.values, all, sizeof both.first.values);
  std::memcpy(both.second.values, all + N, sizeof both.second.values);
  return both;
}
template <typename Value, unsigned N>
vector<Value, N> transpose(const vector<Value, N> &from, unsigned rows, unsigned columns) {
  if (rows * columns != N) std::abort();
  vector<Value, N> turned;
  for (unsigned i = 0; i < rows; i++)
    for (unsigned j = 0; j < columns; j++) turned.values[j * rows + i] = from.values[i * columns + j];
  return turned;
}

template <unsigned R, unsigned S, unsigned T, typename A, typename B> struct mmul {
  static constexpr unsigned size_A = R * S, size_B = S * T, size_C = R * T;
  using Sum = stand_in::sum_of<A>;
  Sum sums[size_C] = {};

  mmul() = default;
  explicit mmul(const vector<Sum, size_C> &from) { std::memcpy(sums, from.values, sizeof sums); }
  void mul(const vector<A, size_A> &a, const vector<B, size_B> &b) {
    std::memset(sums, 0, sizeof sums);
    mac(a, b);
  }
  void mac(const vector<A, size_A> &a, const vector<B, size_B> &b) {
    Sum wide[size_B];
    for (unsigned i = 0; i < size_B; i++) wide[i] = stand_in::number<B>::widen(b.values[i]);
    for (unsigned i = 0; i < R; i++)
      for (unsigned k = 0; k < S; k++) {
        const Sum factor = stand_in::number<A>::widen(a.values[i * S + k]);
        for (unsigned j = 0; j < T; j++) {
          const Sum product = factor * wide[k * T + j];
          sums[i * T + j] = sums[i * T + j] + product;
        }
      }
  }
  template <typename Value> vector<Value, size_C> to_vector() const {
    vector<Value, size_C> values;
    for (unsigned i = 0; i < size_C; i++) values.values[i] = stand_in::number<Value>::narrow(sums[i]);
    return values;
  }
};

// Eight rows of an exponent and eight mantissas: m · 2^(e - 133).
template <typename Value, unsigned N> struct block_vector {
  static_assert(N == 64, "a block is 8×8");
  float values[N];
};
template <typename Value, unsigned N> struct block_vector_input_buffer_stream {
  static constexpr unsigned BYTES = N / 8 * 9;
  const uint8_t *next;

  explicit block_vector_input_buffer_stream(const Value *from) : next(&from->byte) {}
  void seek(int blocks) { next += blocks * static_cast<int>(BYTES); }
  block_vector<Value, N> pop() {
    block_vector<Value, N> block;
    for (unsigned i = 0; i < N; i++) {
      const uint8_t *row = next + i / 8 * 9;
      block.values[i] = __builtin_ldexpf(static_cast<float>(static_cast<int8_t>(row[1 + i % 8])), row[0] - 133);
    }
    next += BYTES;
    return block;
  }
};

} // namespace aie

// C + A · Bᵀ
inline aie::accum<accfloat, 64> mac_8x8_8x8T(const aie::block_vector<bfp16ebs8, 64> &a,
                                             const aie::block_vector<bfp16ebs8, 64> &b,
                                             aie::accum<accfloat, 64> c) {
  for (unsigned i = 0; i < 8; i++)
    for (unsigned j = 0; j < 8; j++)
      for (unsigned k = 0; k < 8; k++) {
        const float product = a.values[i * 8 + k] * b.values[j * 8 + k];
        c.sums[i * 8 + j] = c.sums[i * 8 + j] + product;
      }
  return c;
}

#endif

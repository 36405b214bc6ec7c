// Products of tiles that are made of r×s, s×t and r×t blocks, each block contiguous and row-major:
//
//     C [M, N] += A [M, K] · B [K, N]
//
// Two rows and two columns of blocks at a time: each block that is loaded is multiplied twice.
#ifndef SOTTO_MULTIPLY_H
#define SOTTO_MULTIPLY_H

#include <aie_api/aie.hpp>

// [rows, columns] blocks of C, each the sum of `depth` products; both even. C is read and written.
template <unsigned R, unsigned S, unsigned T, typename Input, typename Sum>
inline void multiply_blocks(const Input *__restrict a, const Input *__restrict b, Sum *__restrict c, unsigned rows,
                            unsigned depth, unsigned columns) {
  using Multiplier = aie::mmul<R, S, T, Input, Input>;
  constexpr unsigned size_a = R * S, size_b = S * T, size_c = R * T;
  for (unsigned row = 0; row < rows; row += 2)
    for (unsigned column = 0; column < columns; column += 2) {
      const Input *__restrict upper_a = a + row * depth * size_a;
      const Input *__restrict lower_a = upper_a + depth * size_a;
      const Input *__restrict next_b = b + column * size_b;
      Sum *__restrict upper_c = c + (row * columns + column) * size_c;
      Sum *__restrict lower_c = upper_c + columns * size_c;
      Multiplier c00(aie::load_v<size_c>(upper_c)), c01(aie::load_v<size_c>(upper_c + size_c));
      Multiplier c10(aie::load_v<size_c>(lower_c)), c11(aie::load_v<size_c>(lower_c + size_c));
      for (unsigned step = 0; step < depth; step++) {
        const auto a0 = aie::load_v<size_a>(upper_a), a1 = aie::load_v<size_a>(lower_a);
        const auto b0 = aie::load_v<size_b>(next_b), b1 = aie::load_v<size_b>(next_b + size_b);
        upper_a += size_a;
        lower_a += size_a;
        next_b += columns * size_b;
        c00.mac(a0, b0);
        c01.mac(a0, b1);
        c10.mac(a1, b0);
        c11.mac(a1, b1);
      }
      aie::store_v(upper_c, c00.template to_vector<Sum>());
      aie::store_v(upper_c + size_c, c01.template to_vector<Sum>());
      aie::store_v(lower_c, c10.template to_vector<Sum>());
      aie::store_v(lower_c + size_c, c11.template to_vector<Sum>());
    }
}

#endif

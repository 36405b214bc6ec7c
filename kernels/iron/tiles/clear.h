// Zeros.
#ifndef SOTTO_CLEAR_H
#define SOTTO_CLEAR_H

#include <aie_api/aie.hpp>

// `count` values, a multiple of 16.
template <typename Value>
inline void clear(Value *to, unsigned count) {
  for (unsigned i = 0; i < count; i += 16) aie::store_v(to + i, aie::zeros<Value, 16>());
}

#endif

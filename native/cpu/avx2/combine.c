#include "lanes.h"

static inline lanes lanes_load_i8(const void *p) {
  return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)p)));
}
static inline lanes lanes_load_i8_first(const void *p, int64_t n) {
  int8_t copy[LANES] = {0};
  memcpy(copy, p, (size_t)n);
  return lanes_load_i8(copy);
}

#include "../lanes/combine.h"

#include "lanes.h"

static inline lanes lanes_load_i8(const void *p) {
  int8_t copy[8] = {0};
  memcpy(copy, p, LANES);
  return vcvtq_f32_s32(vmovl_s16(vget_low_s16(vmovl_s8(vld1_s8(copy)))));
}
static inline lanes lanes_load_i8_first(const void *p, int64_t n) {
  int8_t copy[LANES] = {0};
  memcpy(copy, p, (size_t)n);
  return lanes_load_i8(copy);
}

#include "../lanes/combine.h"

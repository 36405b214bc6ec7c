/* Products of the compute tiles, to the bit: c[i][j] = a[i][0]·b[0][j] + a[i][1]·b[1][j] + …, each product and each sum rounded
 * once (F32, to the nearest even) in that order, from +0; integers modulo 2^32. Every variant gives the same bits. */
#ifndef SOTTO_NPU_PRODUCTS_H
#define SOTTO_NPU_PRODUCTS_H

#include <stdint.h>

enum { PRODUCT_ROWS = 8, PRODUCT_MAX_WIDTH = 32 };

/* c [8, width] of one strip: a [8, depth] with rows `a_stride` numbers apart, b [depth, width] packed. */
typedef struct {
  const char *name;
  int width; /* columns of a strip */
  void (*f32)(const float *a, int64_t a_stride, const float *b, int64_t depth, float *c);
  void (*i32)(const int32_t *a, int64_t a_stride, const int32_t *b, int64_t depth, int32_t *c);
} product_kernels;

/* The best this processor runs. */
const product_kernels *products(void);

extern const product_kernels products_ref;
#if defined(__x86_64__)
extern const product_kernels products_avx2, products_avx512;
#endif

#endif

/* The body of a variant: VECTOR_BYTES and PRODUCTS are defined by the file that includes it. Compiled without contraction
 * (no fused multiply-add), so that every variant rounds alike. */
#include <string.h>

#include "../products.h"

enum { LANES = VECTOR_BYTES / 4, WIDTH = 2 * LANES, HALF = PRODUCT_ROWS / 2 };

typedef float f32_vector __attribute__((vector_size(VECTOR_BYTES), aligned(4), may_alias));
typedef uint32_t u32_vector __attribute__((vector_size(VECTOR_BYTES), aligned(4), may_alias));

/* Four rows at a time: eight vectors of sums stay in registers. */
#define DEFINE_PRODUCT(NAME, NUMBER, VECTOR, SCALAR)                                                            \
  static void NAME(const NUMBER *a, int64_t a_stride, const NUMBER *b, int64_t depth, NUMBER *c) {              \
    for (int rows = 0; rows < PRODUCT_ROWS; rows += HALF) {                                                     \
      VECTOR sums[HALF][2];                                                                                     \
      memset(sums, 0, sizeof sums);                                                                             \
      for (int64_t k = 0; k < depth; k++) {                                                                     \
        const VECTOR left = *(const VECTOR *)(b + k * WIDTH), right = *(const VECTOR *)(b + k * WIDTH + LANES); \
        for (int i = 0; i < HALF; i++) {                                                                        \
          const SCALAR value = (SCALAR)a[(rows + i) * a_stride + k];                                            \
          sums[i][0] = sums[i][0] + left * value;                                                               \
          sums[i][1] = sums[i][1] + right * value;                                                              \
        }                                                                                                       \
      }                                                                                                         \
      memcpy(c + rows * WIDTH, sums, sizeof sums);                                                              \
    }                                                                                                           \
  }

DEFINE_PRODUCT(product_f32, float, f32_vector, float)
DEFINE_PRODUCT(product_i32, int32_t, u32_vector, uint32_t)

const product_kernels PRODUCTS = {.name = PRODUCTS_NAME, .width = WIDTH, .f32 = product_f32, .i32 = product_i32};

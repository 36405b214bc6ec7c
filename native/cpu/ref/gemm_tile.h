/* What the reference products share: reading A, and the way out of a tile of sums. */
#include <string.h>

#include "../kernels.h"

enum { MR = 4, NR = 8 };

/* Element (row + r, k) of A; 0 for rows that are not there and indices outside the data. */
static inline float element(const gemm_rows *a, int64_t row, int r, int count, int64_t k) {
  const int64_t i = a->offset + (row + r) * a->stride + k;
  return r < count && i >= 0 && i < a->length ? a->data[i] : 0.0f;
}

static inline void store_tile(float sums[MR][NR], const gemm_store *store) {
  for (int r = 0; r < store->rows; r++) {
    float *row = sums[r];
    if (store->bias != NULL)
      for (int n = 0; n < NR; n++) row[n] += store->bias[n];
    if (store->is_gelu) gelu_f32_ref(row, NR);
    if (store->addend != NULL)
      for (int n = 0; n < store->columns; n++) row[n] += store->addend[r * store->addend_stride + n];
    memcpy(store->out + r * store->out_stride, row, (size_t)store->columns * sizeof *row);
  }
}

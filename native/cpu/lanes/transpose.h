/* out[c, r] = in[r, c], in squares of LANES × LANES that are transposed in registers. Exact.
 *
 * Included by <isa>/transpose.c after its lanes.h and lanes_transpose.h. */
#include "../kernels.h"

void LANES_KERNEL(transpose_f32)(const float *in, int64_t in_stride, float *out, int64_t out_stride, int64_t rows,
                                 int64_t columns) {
  for (int64_t r = 0; r < rows; r += LANES) {
    const int64_t height = rows - r < LANES ? rows - r : LANES;
    for (int64_t c = 0; c < columns; c += LANES) {
      const int64_t width = columns - c < LANES ? columns - c : LANES;
      lanes square[LANES];
      for (int i = 0; i < LANES; i++)
        square[i] = i < height ? lanes_load_first(in + (r + i) * in_stride + c, width) : lanes_zero();
      lanes_transpose(square);
      for (int i = 0; i < width; i++) lanes_store_first(out + (c + i) * out_stride + r, height, square[i]);
    }
  }
}

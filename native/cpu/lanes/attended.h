/* The way out of a tile of attention: each row of weighted values over the sum of its weights. Included by attention.h
 * and attention_i8.h. */

/* out[r, d] = output[r, d] / Σ sums[r]; sums [queries, LANES], output [queries, output_width], d < width. */
static void store_attended(const float *sums, const float *output, int64_t output_width, int64_t queries, int64_t width,
                           float *out, int64_t out_stride) {
  for (int64_t r = 0; r < queries; r++) {
    const lanes factor = lanes_set(1 / lanes_sum_of(lanes_load(sums + r * LANES)));
    for (int64_t d = 0; d < width; d += LANES)
      lanes_store_first(out + r * out_stride + d, width - d < LANES ? width - d : LANES,
                        lanes_mul(lanes_load(output + r * output_width + d), factor));
  }
}

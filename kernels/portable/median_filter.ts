/**
 * The running median.
 *
 * @module
 */

/**
 * Replaces each value of a row by the median of the `width` values around it; beyond its ends the row is mirrored,
 * its last value not repeated. A row of width / 2 values or fewer has nothing to mirror and stays as it is.
 *
 * @param input Row of `length` values from `start` on.
 * @param out Where the medians go, from 0 on; must not overlap the input.
 * @param width Odd.
 */
export function medianFilter(
  input: Float32Array,
  { start, length, width }: { readonly start: number; readonly length: number; readonly width: number },
  out: Float32Array,
): void {
  const half = (width - 1) / 2;
  if (length <= half) {
    for (let i = 0; i < length; i++) out[i] = input[start + i];
    return;
  }
  const mirrored = new Float32Array(length + 2 * half);
  mirrored.set(input.subarray(start, start + length), half);
  for (let i = 1; i <= half; i++) {
    mirrored[half - i] = input[start + i];
    mirrored[half + length - 1 + i] = input[start + length - 1 - i];
  }
  // The window is kept sorted: one value leaves it, one enters.
  const sorted = mirrored.slice(0, width).sort();
  out[0] = sorted[half];
  for (let i = 1; i < length; i++) {
    const leaving = mirrored[i - 1];
    const entering = mirrored[i - 1 + width];
    let place = 0;
    while (sorted[place] < leaving) place++;
    for (; place + 1 < width && sorted[place + 1] < entering; place++) sorted[place] = sorted[place + 1];
    for (; place > 0 && sorted[place - 1] > entering; place--) sorted[place] = sorted[place - 1];
    sorted[place] = entering;
    out[i] = sorted[half];
  }
}

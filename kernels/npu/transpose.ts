/**
 * The log-mel comes as [bands, frames]; convolutions read [frames, bands].
 *
 * @module
 */

import type { TransposeStep } from "../step.ts";

/** Rows of the input that are written at a time: their cache lines of the output stay. */
const BLOCK = 16;

/** Carries out the step on the host. */
export function transpose(
  { rows, columns }: TransposeStep,
  input: Float32Array<ArrayBuffer>,
  output: Float32Array<ArrayBuffer>,
): void {
  for (let r0 = 0; r0 < rows; r0 += BLOCK) {
    for (let c = 0; c < columns; c++) {
      for (let r = r0; r < Math.min(r0 + BLOCK, rows); r++) output[c * rows + r] = input[r * columns + c];
    }
  }
}

/**
 * What the array makes of the words that reach it: matrix products as `native/npu_model/README.md` defines the ports, in
 * plain integers, for judging streams.
 *
 * @module
 */

import type { MatmulProgram, OverlayDesign } from "../../kernels/npu/design.ts";
import type { Access, Interpretation } from "./_dma_interpreter.ts";

/** The words that a channel reads from the buffers. */
export function wordsRead(accesses: readonly Access[], buffers: readonly Uint32Array[]): Uint32Array {
  return Uint32Array.from(accesses, ({ argument, word }) => {
    if (word >= buffers[argument].length) throw new Error(`word ${word} is outside buffer ${argument}`);
    return buffers[argument][word];
  });
}

/** Runs int16 products whose sums are int32 on the array and writes what comes out into the buffers. */
export function runInt16Products(
  design: OverlayDesign,
  program: MatmulProgram,
  reduce: number,
  { accesses }: Interpretation,
  buffers: readonly Uint32Array[],
): void {
  const { m, k, n } = program;
  const feeders = Math.min(design.columns, design.rows);
  const rowsEach = design.rows / feeders;
  const values = (key: string) =>
    new Int16Array(wordsRead(accesses.get(key) ?? [], buffers).buffer as ArrayBuffer);
  const a = Array.from({ length: feeders }, (_, i) => values(`${i * design.columns / feeders}/mm2s0`));
  for (let column = 0; column < design.columns; column++) {
    const b = values(`${column}/mm2s1`);
    const out = accesses.get(`${column}/s2mm0`) ?? [];
    let taken = 0;
    for (let round = 0; taken < out.length; round++) {
      for (let row = 0; row < design.rows; row++) {
        const c = new Int32Array(m * n);
        for (let q = 0; q < reduce; q++) {
          const tileA = ((round * reduce + q) * rowsEach + row % rowsEach) * m * k;
          const tileB = (round * reduce + q) * k * n;
          for (let i = 0; i < m; i++) {
            for (let j = 0; j < k; j++) {
              const x = a[Math.floor(row / rowsEach)][tileA + i * k + j];
              for (let l = 0; l < n; l++) c[i * n + l] += x * b[tileB + j * n + l];
            }
          }
        }
        for (const value of new Uint32Array(c.buffer)) {
          const { argument, word } = out[taken++];
          buffers[argument][word] = value;
        }
      }
    }
  }
}

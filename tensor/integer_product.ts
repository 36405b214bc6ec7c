/**
 * Products of quantized matrices: the readable reference for every device's integer arithmetic.
 *
 * With a = (p − z) · s and b = (q − y) · t over a run of K values that share scales,
 *
 *     Σ a·b = s·t · ( Σ p·q − y·Σ p − z·Σ q + K·z·y )
 *
 * so a device multiplies the codes as they are, and three cheap terms correct for the zero points. The
 * bracket is an exact integer; the correction's sums depend on one operand each, and are taken once for a
 * row.
 *
 * @module
 */

import { SottoError } from "../errors.ts";
import { blockCount, type ScaleGrid } from "./quantization.ts";
import type { Quantized } from "./integers.ts";

/** The exact integer sums of a product, one for each run of K that shares scales. */
export interface IntegerProduct {
  /** [M, N, runs]: Σ (p − z)·(q − y) over each run. */
  readonly sums: Int32Array<ArrayBuffer>;
  /** Rows of the left operand. */
  readonly M: number;
  /** Rows of the right operand, transposed. */
  readonly N: number;
  /** Runs along K: 1, or K / G. */
  readonly runs: number;
}

/**
 * The exact integers of a · bᵀ.
 *
 * @param a [M, K].
 * @param b [N, K]: the right operand, transposed.
 * @throws {SottoError} E_OPTION if the K differ, scales change along K in unlike runs or by column, or a sum
 * could leave 32 bits.
 */
export function multiplyIntegers(a: Quantized, b: Quantized): IntegerProduct {
  const { length, runs } = commonRuns(a, b);
  const [M, N, K] = [a.rows, b.rows, a.columns];
  requireRoom(a, b, length);
  const sums = new Int32Array(M * N * runs);
  const sumsA = sumsOfRuns(a, length);
  const sumsB = sumsOfRuns(b, length);
  for (let m = 0; m < M; m++) {
    for (let n = 0; n < N; n++) {
      for (let g = 0; g < runs; g++) {
        const z = zeroPointAt(a, m, g * length);
        const y = zeroPointAt(b, n, g * length);
        let sum = 0;
        const beginA = m * K + g * length;
        const beginB = n * K + g * length;
        for (let k = 0; k < length; k++) sum += a.codes[beginA + k] * b.codes[beginB + k];
        sums[(m * N + n) * runs + g] = sum - y * sumsA[m * runs + g] - z * sumsB[n * runs + g] +
          length * z * y;
      }
    }
  }
  return { sums, M, N, runs };
}

/**
 * a · bᵀ in F32 [M, N]: each run's integer times both scales, added up in the order of K in double precision.
 *
 * @throws {SottoError} E_OPTION as {@linkcode multiplyIntegers}.
 */
export function multiplyQuantized(a: Quantized, b: Quantized): Float32Array<ArrayBuffer> {
  const { sums, M, N, runs } = multiplyIntegers(a, b);
  const { length } = commonRuns(a, b);
  const out = new Float32Array(M * N);
  for (let m = 0; m < M; m++) {
    for (let n = 0; n < N; n++) {
      let sum = 0;
      for (let g = 0; g < runs; g++) {
        const scale = a.scales[blockAt(a, m, g * length)] * b.scales[blockAt(b, n, g * length)];
        sum += sums[(m * N + n) * runs + g] * scale;
      }
      out[m * N + n] = sum;
    }
  }
  return out;
}

function blockAt(grid: ScaleGrid, row: number, column: number): number {
  const { perRow } = blockCount(grid);
  return Math.floor(row / grid.blockRows) * perRow + Math.floor(column / grid.blockColumns);
}

function zeroPointAt(matrix: Quantized, row: number, column: number): number {
  return matrix.zeroPoints ? matrix.zeroPoints[blockAt(matrix, row, column)] : 0;
}

/** Σ of the codes of each run of each row. */
function sumsOfRuns({ rows, columns, codes }: Quantized, length: number): Float64Array {
  const sums = new Float64Array(rows * (columns / length));
  for (let i = 0; i < codes.length; i++) sums[Math.floor(i / length)] += codes[i];
  return sums;
}

/** The runs along K in which neither operand's scale changes. */
function commonRuns(a: Quantized, b: Quantized): { readonly length: number; readonly runs: number } {
  if (a.columns !== b.columns) {
    throw new SottoError(
      "E_OPTION",
      `Cannot multiply: both operands must have K columns, got ${a.columns} and ${b.columns}`,
    );
  }
  const length = Math.min(a.blockColumns, b.blockColumns);
  if (Math.max(a.blockColumns, b.blockColumns) % length !== 0 || (length === 1 && a.columns > 1)) {
    throw new SottoError(
      "E_OPTION",
      `Cannot multiply: scales must be shared along K, got blocks of ${a.blockColumns} and ${b.blockColumns}`,
      { hint: "Quantize both by tensor, row, or groups of which one divides the other." },
    );
  }
  return { length, runs: a.columns / length };
}

/** Refuses sums that could leave 32 bits: |Σ (p − z)·(q − y)| ≤ length · span · span. */
function requireRoom(a: Quantized, b: Quantized, length: number): void {
  const most = length * span(a) * span(b);
  if (most < 2 ** 31) return;
  throw new SottoError(
    "E_OPTION",
    `Cannot multiply: sums of ${length} products must stay below 2^31, could reach ${most}`,
    { hint: "Quantize in smaller groups along K." },
  );
}

function span({ codes, zeroPoints }: Quantized): number {
  const top = codes instanceof Int8Array ? 127 : 32767;
  return zeroPoints ? 2 * top + 1 : top;
}

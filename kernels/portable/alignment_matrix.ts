/**
 * Attention of several heads to one matrix that shows where each token is spoken.
 *
 * Letters: H heads, N tokens, T audio positions (n_audio_ctx), P of them that hold audio.
 *
 * @module
 */

import { medianFilter } from "./median_filter.ts";

/** Width of the median filter over audio positions: 0.14 s (openai-whisper, `find_alignment`). */
const MEDIAN_WIDTH = 7;

/** Scores of the alignment heads, F32 [H, N, T], before softmax. */
export interface HeadScores {
  readonly data: Float32Array;
  readonly heads: number;
  readonly tokens: number;
  /** T. */
  readonly positions: number;
}

/**
 * Softmax over the P positions; then each position standardized over the tokens, for a head that looks at one place
 * whatever the token says nothing; then the median over time; then the mean of the heads.
 *
 * @param positions P, 1…T.
 * @returns F32 [N, P].
 */
export function alignmentMatrix(scores: HeadScores, positions: number): Float32Array {
  const { data, heads: H, tokens: N, positions: T } = scores;
  const P = positions;
  const sum = new Float64Array(N * P);
  const weights = new Float32Array(N * P);
  const smooth = new Float32Array(P);
  for (let h = 0; h < H; h++) {
    for (let n = 0; n < N; n++) softmaxRow(data, (h * N + n) * T, weights, n * P, P);
    standardizeColumns(weights, N, P);
    for (let n = 0; n < N; n++) {
      medianFilter(weights, { start: n * P, length: P, width: MEDIAN_WIDTH }, smooth);
      for (let p = 0; p < P; p++) sum[n * P + p] += smooth[p];
    }
  }
  const matrix = new Float32Array(N * P);
  for (let i = 0; i < matrix.length; i++) matrix[i] = sum[i] / H;
  return matrix;
}

/** out[to …] = softmax(input[from …]), `length` values. */
function softmaxRow(input: Float32Array, from: number, out: Float32Array, to: number, length: number): void {
  let max = -Infinity;
  for (let i = 0; i < length; i++) if (input[from + i] > max) max = input[from + i];
  let sum = 0;
  for (let i = 0; i < length; i++) {
    const e = Math.exp(input[from + i] - max);
    out[to + i] = e;
    sum += e;
  }
  const inverse = 1 / sum;
  for (let i = 0; i < length; i++) out[to + i] *= inverse;
}

/** Each column less its mean over its standard deviation; 0 where all its values are equal. */
function standardizeColumns(values: Float32Array, rows: number, columns: number): void {
  const mean = new Float64Array(columns);
  const variance = new Float64Array(columns);
  for (let r = 0; r < rows; r++) {
    for (let c = 0, i = r * columns; c < columns; c++, i++) mean[c] += values[i];
  }
  for (let c = 0; c < columns; c++) mean[c] /= rows;
  for (let r = 0; r < rows; r++) {
    for (let c = 0, i = r * columns; c < columns; c++, i++) {
      const away = values[i] - mean[c];
      variance[c] += away * away;
    }
  }
  const scale = variance.map((sum) => sum > 0 ? Math.sqrt(rows / sum) : 0);
  for (let r = 0; r < rows; r++) {
    for (let c = 0, i = r * columns; c < columns; c++, i++) values[i] = (values[i] - mean[c]) * scale[c];
  }
}

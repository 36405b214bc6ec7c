/**
 * `out[r] = (in[r] − mean) / √(variance + 1e-5) · weight + bias`, over the columns of each row.
 *
 * @module
 */

/** PyTorch's default for LayerNorm, which Whisper was trained with. */
const EPSILON = 1e-5;

/** What {@linkcode layerNorm} works with; `input` and `out` are F32 [rows, columns] and may be the same. */
export interface LayerNormOperands {
  readonly input: Float32Array<ArrayBuffer>;
  readonly out: Float32Array<ArrayBuffer>;
  /** F32 [columns]. */
  readonly weight: Float32Array<ArrayBuffer>;
  /** F32 [columns]. */
  readonly bias: Float32Array<ArrayBuffer>;
  readonly rows: number;
  readonly columns: number;
}

/** Normalizes each row; the variance is taken around the mean in a second pass, which does not cancel. */
export function layerNorm({ input, out, weight, bias, rows, columns }: LayerNormOperands): void {
  for (let r = 0; r < rows; r++) {
    const start = r * columns;
    let sum = 0;
    for (let c = 0; c < columns; c++) sum += input[start + c];
    const mean = sum / columns;
    let squares = 0;
    for (let c = 0; c < columns; c++) {
      const off = input[start + c] - mean;
      squares += off * off;
    }
    const scale = 1 / Math.sqrt(squares / columns + EPSILON);
    for (let c = 0; c < columns; c++) {
      out[start + c] = (input[start + c] - mean) * scale * weight[c] + bias[c];
    }
  }
}

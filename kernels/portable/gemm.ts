/**
 * `out = act(in · Wᵀ + bias) (+ residual)`: the linear layers.
 *
 * @module
 */

import { dotProducts, type Rows } from "./dot_products.ts";
import { gelu } from "./gelu.ts";
import { type Pace, SLICE_OPERATIONS } from "./pace.ts";

/** Rows of the input that are taken at a time: with K = 2048 half a megabyte, which the second cache holds. */
const ROWS_AT_A_TIME = 64;

/** One product; where `residual` is given it is F32 [M, N] like `out`, with the same start and stride. */
export interface Gemm {
  /** [M, K]. */
  readonly input: Rows;
  /** F32 [N, K], row-major. */
  readonly weight: Float32Array<ArrayBuffer>;
  /** F32 [N], or none. */
  readonly bias: Float32Array<ArrayBuffer> | null;
  /** [M, N]; may be the residual itself. */
  readonly out: Rows;
  readonly residual: Float32Array<ArrayBuffer> | null;
  readonly activation: "none" | "gelu";
  readonly M: number;
  readonly N: number;
  readonly K: number;
}

/** Computes a product in slices of rows and columns, pausing between them. */
export async function gemm(task: Gemm, pace: Pace): Promise<void> {
  const { input, weight, M, N, K } = task;
  // The tile is finished in a scratch of its own, because `out` may be the residual that is still to be added.
  const sliceRows = Math.min(M, ROWS_AT_A_TIME);
  const sliceColumns = Math.min(N, Math.max(4, Math.floor(SLICE_OPERATIONS / (2 * sliceRows * K)) & ~3));
  const scratch = new Float32Array(sliceRows * sliceColumns);
  for (let m = 0; m < M; m += ROWS_AT_A_TIME) {
    const rows = Math.min(ROWS_AT_A_TIME, M - m);
    for (let n = 0; n < N; n += sliceColumns) {
      const columns = Math.min(sliceColumns, N - n);
      dotProducts(
        { data: input.data, start: input.start + m * input.stride, stride: input.stride },
        { data: weight, start: n * K, stride: K },
        { data: scratch, start: 0, stride: columns },
        { M: rows, N: columns, K },
      );
      finish(task, scratch, { m, n, rows, columns });
      if (pace.due) await pace.pause();
    }
  }
}

/** Where a slice lies in the result. */
interface Slice {
  readonly m: number;
  readonly n: number;
  readonly rows: number;
  readonly columns: number;
}

/** Adds the bias, applies the activation, adds the residual and stores. */
function finish(
  { bias, out, residual, activation }: Gemm,
  sums: Float32Array<ArrayBuffer>,
  slice: Slice,
): void {
  const { m, n, rows, columns } = slice;
  for (let row = 0; row < rows; row++) {
    const start = out.start + (m + row) * out.stride + n;
    for (let column = 0; column < columns; column++) {
      let value = sums[row * columns + column];
      if (bias !== null) value += bias[n + column];
      if (activation === "gelu") value = gelu(value);
      if (residual !== null) value += residual[start + column];
      out.data[start + column] = value;
    }
  }
}

/**
 * `softmax(q · kᵀ / √D) · v`, some query rows at a time: the scores of a few rows are held, never T×T.
 *
 * @module
 */

import { dotProducts, type Rows } from "./dot_products.ts";
import { type Pace, SLICE_OPERATIONS } from "./pace.ts";

/** One head: queries, keys and transposed values. */
export interface Head {
  /** [rows, D]. */
  readonly q: Rows;
  /** [T, D]. */
  readonly k: Rows;
  /** [D, T]: transposed, so that both products are dot products of rows. */
  readonly vT: Rows;
  /** [rows, D]. */
  readonly out: Rows;
  /** Keys attended to, T ≥ 1. */
  readonly T: number;
  /** Width of the head, D. */
  readonly D: number;
}

/** Attends with `rows` query rows, a slice of them at a time, pausing between slices. */
export async function attend(head: Head, rows: number, pace: Pace): Promise<void> {
  const { q, k, vT, out, T, D } = head;
  const sliceRows = Math.min(rows, Math.max(4, Math.floor(SLICE_OPERATIONS / (4 * T * D)) & ~3));
  const scores: Rows = { data: new Float32Array(sliceRows * T), start: 0, stride: T };
  for (let first = 0; first < rows; first += sliceRows) {
    const M = Math.min(sliceRows, rows - first);
    dotProducts({ ...q, start: q.start + first * q.stride }, k, scores, { M, N: T, K: D });
    for (let row = 0; row < M; row++) softmax(scores.data, row * T, T, 1 / Math.sqrt(D));
    dotProducts(scores, vT, { ...out, start: out.start + first * out.stride }, { M, N: D, K: T });
    if (pace.due) await pace.pause();
  }
}

/** `softmax(scale · x)` of `data[start … start + length)` in place, shifted by the maximum so that nothing overflows. */
export function softmax(data: Float32Array<ArrayBuffer>, start: number, length: number, scale: number): void {
  const end = start + length;
  let max = -Infinity;
  for (let i = start; i < end; i++) if (data[i] > max) max = data[i];
  let sum = 0;
  for (let i = start; i < end; i++) {
    const e = Math.exp((data[i] - max) * scale);
    data[i] = e;
    sum += e;
  }
  const inverse = 1 / sum;
  for (let i = start; i < end; i++) data[i] *= inverse;
}

/** The encoder's self-attention: `input` F32 [T, 3C] holds q, k and v side by side; `out` F32 [T, C]. */
export interface SelfAttention {
  readonly input: Float32Array<ArrayBuffer>;
  readonly out: Float32Array<ArrayBuffer>;
  readonly T: number;
  readonly heads: number;
  readonly headWidth: number;
}

/** Attends head by head. */
export async function selfAttention(task: SelfAttention, pace: Pace): Promise<void> {
  const { input, out, T, heads, headWidth: D } = task;
  const C = heads * D;
  const vT = new Float32Array(D * T);
  for (let h = 0; h < heads; h++) {
    for (let t = 0; t < T; t++) {
      for (let d = 0; d < D; d++) vT[d * T + t] = input[t * 3 * C + 2 * C + h * D + d];
    }
    await attend(
      {
        q: { data: input, start: h * D, stride: 3 * C },
        k: { data: input, start: C + h * D, stride: 3 * C },
        vT: { data: vT, start: 0, stride: T },
        out: { data: out, start: h * D, stride: C },
        T,
        D,
      },
      T,
      pace,
    );
  }
}

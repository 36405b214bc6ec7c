/**
 * Linear layers and layer norms of the text decoder, into new arrays.
 *
 * @module
 */

import { gemm } from "./gemm.ts";
import { layerNorm } from "./layernorm.ts";
import type { Pace } from "./pace.ts";
import type { Linear, Norm } from "./text_decoder.ts";

type F32 = Float32Array<ArrayBuffer>;

/** `input · Wᵀ + bias` as a new array [M, N]; with a residual, added to it in place. */
export async function project(
  input: F32,
  { weight, bias }: Linear,
  { M, N, K }: { readonly M: number; readonly N: number; readonly K: number },
  pace: Pace,
  residual: F32 | null = null,
): Promise<F32> {
  const data = residual ?? new Float32Array(M * N);
  const out = { data, start: 0, stride: N };
  await gemm({
    input: { data: input, start: 0, stride: K },
    weight,
    bias,
    out,
    residual,
    activation: "none",
    M,
    N,
    K,
  }, pace);
  return data;
}

/** `(input · Wᵀ + bias)ᵀ` as a new array [N, M]: the operands of the product change places. */
export async function projectTransposed(
  input: F32,
  { weight, bias }: Linear,
  { M, N, K }: { readonly M: number; readonly N: number; readonly K: number },
  pace: Pace,
): Promise<F32> {
  const out = await project(weight, { weight: input, bias: null }, { M: N, N: M, K }, pace);
  if (bias !== null) { for (let n = 0; n < N; n++) for (let m = 0; m < M; m++) out[n * M + m] += bias[n]; }
  return out;
}

/** A layer norm into a new array. */
export function normalize(
  input: F32,
  { weight, bias }: Norm,
  shape: { readonly rows: number; readonly columns: number },
): F32 {
  const out = new Float32Array(shape.rows * shape.columns);
  layerNorm({ input, out, weight, bias, ...shape });
  return out;
}

/**
 * The encoder's convolutions over time: three taps, stride 1 or 2, then GELU.
 *
 * In [frames, channels] layout the three frames under an output frame are one run of 3·channels numbers, so
 * the convolution is a product whose input rows overlap; nothing is unfolded in memory.
 *
 * @module
 */

import { gemm } from "./gemm.ts";
import type { Pace } from "./pace.ts";

/** Frames under each output frame. */
export const TAPS = 3;

/** What {@linkcode conv1d} works with. */
export interface Conv1d {
  /** F32 [framesIn, channelsIn]. */
  readonly input: Float32Array<ArrayBuffer>;
  /** F32 [framesOut, channelsOut]. */
  readonly out: Float32Array<ArrayBuffer>;
  /** F32 [channelsOut, 3, channelsIn]: see {@linkcode packConvWeight}. */
  readonly weight: Float32Array<ArrayBuffer>;
  /** F32 [channelsOut]. */
  readonly bias: Float32Array<ArrayBuffer>;
  /** F32 [framesOut, channelsOut] to be added to the result, or none. */
  readonly addend: Float32Array<ArrayBuffer> | null;
  readonly framesIn: number;
  readonly framesOut: number;
  readonly channelsIn: number;
  readonly channelsOut: number;
  readonly stride: number;
}

/** Reorders a checkpoint's weight [channelsOut, channelsIn, 3] to [channelsOut, 3, channelsIn]. */
export function packConvWeight(
  weight: Float32Array<ArrayBuffer>,
  channelsOut: number,
  channelsIn: number,
): Float32Array<ArrayBuffer> {
  const packed = new Float32Array(weight.length);
  for (let n = 0; n < channelsOut; n++) {
    for (let k = 0; k < channelsIn; k++) {
      for (let tap = 0; tap < TAPS; tap++) {
        packed[(n * TAPS + tap) * channelsIn + k] = weight[(n * channelsIn + k) * TAPS + tap];
      }
    }
  }
  return packed;
}

/** `out[t, n] = gelu(bias[n] + Σ in[t·stride + j − 1, k] · weight[n, j, k]) + addend[t, n]`, zeros outside. */
export async function conv1d(task: Conv1d, pace: Pace): Promise<void> {
  const { framesIn, framesOut, channelsIn, channelsOut, stride } = task;
  // One frame of zeros before, and as many behind as the last output frame reaches over.
  const padded = new Float32Array(Math.max(framesIn + 1, (framesOut - 1) * stride + TAPS) * channelsIn);
  padded.set(task.input.subarray(0, framesIn * channelsIn), channelsIn);
  await gemm({
    input: { data: padded, start: 0, stride: stride * channelsIn },
    weight: task.weight,
    bias: task.bias,
    out: { data: task.out, start: 0, stride: channelsOut },
    residual: task.addend,
    activation: "gelu",
    M: framesOut,
    N: channelsOut,
    K: TAPS * channelsIn,
  }, pace);
}

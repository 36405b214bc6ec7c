/**
 * The peer that the encoder is measured against: ONNX Runtime from npm, on the same weights. A development
 * dependency: it is imported only when a benchmark runs.
 *
 * @module
 */

import type { EncoderDimensions } from "../model/dimensions.ts";
import type { WeightStore } from "../model/weights.ts";
import {
  loadOnnxRuntime,
  ONNX_RUNTIME,
  ONNX_RUNTIME_VERSION,
  type OnnxRuntime,
} from "../voice/onnx_runtime.ts";
import { ONNX_INPUT, onnxEncoder } from "./onnx_encoder.ts";

/** An encoder in ONNX Runtime. */
export interface OnnxPeer extends AsyncDisposable {
  readonly name: string;
  /** F32 [n_mels, 2·n_audio_ctx] → F32 [n_audio_ctx, n_audio_state]. */
  encode(logMel: Float32Array<ArrayBuffer>): Promise<Float32Array>;
}

/**
 * Loads the encoder into ONNX Runtime.
 *
 * @returns The peer, or a line that says why there is none.
 */
export async function openOnnxPeer(
  dims: EncoderDimensions,
  weights: WeightStore,
  threads: number,
): Promise<OnnxPeer | string> {
  let runtime: OnnxRuntime;
  try {
    runtime = await loadOnnxRuntime();
  } catch (error) {
    return `${ONNX_RUNTIME} cannot be loaded: ${(error as Error).message.split("\n")[0]}`;
  }
  const { model, output } = await onnxEncoder(dims, weights);
  const session = await runtime.InferenceSession.create(model, {
    executionProviders: ["cpu"],
    graphOptimizationLevel: "all",
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    logSeverityLevel: 3,
  });
  return {
    name: `onnxruntime-node ${ONNX_RUNTIME_VERSION}`,
    async encode(logMel) {
      const input = new runtime.Tensor("float32", logMel, [1, dims.n_mels, 2 * dims.n_audio_ctx]);
      return (await session.run({ [ONNX_INPUT]: input }))[output].data;
    },
    [Symbol.asyncDispose]: () => session.release(),
  };
}

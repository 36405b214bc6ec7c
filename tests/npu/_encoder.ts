/**
 * Small encoders and products with random weights for NPU devices, and what products must be, to the bit.
 *
 * @module
 */

import type { NpuDeviceOptions } from "../../kernels/npu/device.ts";
import { NpuDevice } from "../../kernels/npu/device.ts";
import type { NpuOperand } from "../../kernels/npu/policy.ts";
import type { Plan } from "../../kernels/step.ts";
import { encoderTensors } from "../../model/weight_names.ts";
import { WeightStore } from "../../model/weights.ts";
import { bfp16Layout } from "../../tensor/bfp16_layout.ts";
import { packBfp16, unpackBfp16 } from "../../tensor/bfp16.ts";
import { bf16ToFloat32, float32ToBf16 } from "../../tensor/half.ts";
import { quantizeInt8 } from "../../tensor/integers.ts";
import { planEncoder } from "../../encoder/plan.ts";
import { Random } from "../kernels/_random.ts";
import { makeWeights, storedTensor } from "../kernels/_weights.ts";

/** A window of 200 frames through two layers; heads narrower than the NPU's tiles. */
export const DIMS = { n_mels: 80, n_audio_ctx: 100, n_audio_state: 96, n_audio_head: 2, n_audio_layer: 2 };
/** Its plan. */
export const PLAN: Plan = planEncoder(DIMS);
/** Its weights. */
export const WEIGHTS: WeightStore = makeWeights(encoderTensors(DIMS), trainedAlike()).store;

/** Layer norms near 1, products that keep the size of what they multiply, as in a trained model. */
function trainedAlike(): (length: number, name: string) => Float32Array<ArrayBuffer> {
  const random = new Random(11);
  return (length, name) => {
    if (/ln\w*\.weight|ln_post\.weight/.test(name)) return random.array(length, 0.1).map((x) => 1 + x);
    return random.array(length, name.endsWith("bias") ? 0.05 : 0.12);
  };
}

/** Numbers that look like nothing in particular. */
export function waves(count: number, seed = 1): Float32Array<ArrayBuffer> {
  return Float32Array.from(
    { length: count },
    (_, i) => Math.sin((i + seed) * 0.37 * seed) * Math.cos(i * 0.011),
  );
}

/** A log-mel for {@linkcode PLAN}. */
export const logMel = (seed = 1): Float32Array<ArrayBuffer> => waves(80 * 200, seed);

/** Opens the emulated NPU with one thread for the host. */
export function openEmulated(options: NpuDeviceOptions = {}): Promise<NpuDevice> {
  return NpuDevice.open("npu-emulated", { threads: 1, npuModel: "", ...options });
}

/** The plan of one product [M, K]·[K, N] with its weights. */
export function productPlan(
  M: number,
  K: number,
  N: number,
): { plan: Plan; weights: WeightStore; weight: Float32Array } {
  const name = "encoder.blocks.3.mlp.0.weight";
  const plan: Plan = {
    buffers: [{ name: "in", rows: M, columns: K }, { name: "out", rows: M, columns: N }],
    weights: [{ name, shape: [N, K] }],
    steps: [{
      op: "gemm",
      input: 0,
      output: 1,
      parts: [{ weight: 0, bias: null, N }],
      M,
      K,
      N,
      activation: "none",
      residual: null,
      arithmetic: "f32",
    }],
    input: 0,
    output: 1,
  };
  const weight = waves(N * K, 3);
  return { plan, weights: new WeightStore([storedTensor({ name, shape: [N, K] }, weight)]), weight };
}

/** A matrix as the multipliers see it: values, and the scale of each row. */
function operand(
  values: Float32Array<ArrayBuffer>,
  [rows, columns]: [number, number],
  type: NpuOperand,
): { values: ArrayLike<number>; scales: ArrayLike<number> } {
  const ones = new Float32Array(rows).fill(1);
  if (type === "bf16") return { values: bf16ToFloat32(float32ToBf16(values)), scales: ones };
  if (type === "bfp16") {
    const layout = bfp16Layout(rows, columns);
    return { values: unpackBfp16(packBfp16(values, layout), layout), scales: ones };
  }
  const { codes, scales } = quantizeInt8(values, [rows, columns], { granularity: "row" });
  return { values: codes, scales };
}

/** What the NPU must answer, to the bit: products rounded once, sums in order along K; integers exact, then scaled. */
export function expectedProduct(
  a: Float32Array<ArrayBuffer>,
  weight: Float32Array<ArrayBuffer>,
  [M, K, N]: [number, number, number],
  type: NpuOperand,
): Float32Array<ArrayBuffer> {
  const [left, right] = [operand(a, [M, K], type), operand(weight, [N, K], type)];
  const out = new Float32Array(M * N);
  for (let m = 0; m < M; m++) {
    for (let n = 0; n < N; n++) {
      let sum = 0;
      for (let k = 0; k < K; k++) {
        sum = Math.fround(sum + Math.fround(left.values[m * K + k] * right.values[n * K + k]));
      }
      out[m * N + n] = type === "i8" ? Math.fround(sum * Math.fround(left.scales[m] * right.scales[n])) : sum;
    }
  }
  return out;
}

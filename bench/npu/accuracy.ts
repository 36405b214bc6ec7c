/**
 * How far each precision policy is from F32: on the random input that the system before this one was judged on, and on
 * real speech.
 *
 * @module
 */

import { planEncoder } from "../../encoder/plan.ts";
import { NpuDevice } from "../../kernels/npu/device.ts";
import type { NpuPrecision } from "../../kernels/npu/policy.ts";
import type { Plan } from "../../kernels/step.ts";
import type { EncoderDimensions } from "../../model/dimensions.ts";
import type { WeightStore } from "../../model/weights.ts";
import { relativeError } from "../relative_error.ts";
import { percent, textTable } from "./text_table.ts";

/** F32 arrays that outputs are held against. */
export interface AccuracyData {
  /** [512, 512]. */
  readonly seedInput: Float32Array<ArrayBuffer>;
  /** What F32 PyTorch answers. */
  readonly seedExact: Float32Array<ArrayBuffer>;
  /** What the INT8 encoder before this one answered. */
  readonly seedBefore: Float32Array<ArrayBuffer>;
  /** Log-mel of real speech. */
  readonly speech: Float32Array<ArrayBuffer>;
  /** What F32 PyTorch answers. */
  readonly speechExact: Float32Array<ArrayBuffer>;
}

/** Policies, the NPU that has them, and what their error on speech must not pass. */
const POLICIES: readonly (readonly [NpuPrecision, model: string, goal: number | null])[] = [
  ["int8-tensor", "", null],
  ["int8-vector", "", null],
  ["int8", "", 0.03],
  ["bf16", "", 0.01],
  ["bfp16-all", "device=strix", null],
  ["bfp16", "device=strix", 0.03],
];

/** The blocks alone on 512 rows: no convolutions, no positions, no final norm. */
function blocksPlan(dims: EncoderDimensions): Plan {
  const plan = planEncoder({ ...dims, n_audio_ctx: 512 });
  const stream = plan.steps.find(({ op }) => op === "layernorm")!.input;
  const first = plan.steps.findIndex(({ op }) => op === "layernorm");
  return { ...plan, steps: plan.steps.slice(first, -1), input: stream, output: stream };
}

/** A row for each policy. */
export async function accuracyTable(
  { dims, weights }: { readonly dims: EncoderDimensions; readonly weights: WeightStore },
  data: AccuracyData,
): Promise<string> {
  const rows: string[][] = [];
  for (const [npuPrecision, npuModel, goal] of POLICIES) {
    using device = await NpuDevice.open("npu-emulated", { npuPrecision, npuModel });
    const run = async (plan: Plan, input: Float32Array<ArrayBuffer>) => {
      using loaded = await device.loadPlan(plan, weights);
      return await loaded.run(input);
    };
    const seed = await run(blocksPlan(dims), data.seedInput);
    const speech = relativeError(await run(planEncoder(dims), data.speech), data.speechExact);
    rows.push([
      npuPrecision,
      percent(relativeError(seed, data.seedExact)),
      percent(relativeError(seed, data.seedBefore)),
      percent(speech),
      goal === null ? "" : `${speech <= goal ? "met" : "MISSED"}: ≤ ${100 * goal} %`,
    ]);
  }
  return textTable([
    ["relative L2 error", "seed, to F32", "seed, to INT8 C++", "jfk, to F32", "goal"],
    ...rows,
  ]);
}

/**
 * Each precision policy as it really runs, layer 0 in bf16 where it says so: launches, bytes, modelled time of a window, and
 * how far it is from F32, on the random input that the system before this one was judged on and on real speech.
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
import { mib, percent, textTable } from "./text_table.ts";

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

/** The blocks alone on 512 rows, as the seed has them: no convolutions, no positions, no final norm. */
export function blocksPlan(dims: EncoderDimensions): Plan {
  const plan = planEncoder({ ...dims, n_audio_ctx: 512 });
  const stream = plan.steps.find(({ op }) => op === "layernorm")!.input;
  const first = plan.steps.findIndex(({ op }) => op === "layernorm");
  return { ...plan, steps: plan.steps.slice(first, -1), input: stream, output: stream };
}

/** What of a policy computes in bf16 all the same. */
const EXCEPTIONS: Readonly<Record<NpuPrecision, string>> = {
  "bf16": "",
  "bfp16": "layer 0 in bf16",
  "bfp16-all": "every layer",
  "int8": "layer 0 in bf16",
  "int8-vector": "every layer",
  "int8-tensor": "every layer",
};

/**
 * A row for each policy.
 *
 * @param input A log-mel.
 * @param data Without it, errors are left out.
 */
export async function policyTable(
  { dims, weights }: { readonly dims: EncoderDimensions; readonly weights: WeightStore },
  input: Float32Array<ArrayBuffer>,
  data: AccuracyData | null,
): Promise<string> {
  const rows: string[][] = [];
  for (const [npuPrecision, npuModel, goal] of POLICIES) {
    using device = await NpuDevice.open("npu-emulated", { npuPrecision, npuModel });
    const run = async (plan: Plan, input: Float32Array<ArrayBuffer>) => {
      using loaded = await device.loadPlan(plan, weights);
      return await loaded.run(input);
    };
    const features = await run(planEncoder(dims), input);
    const { launches, bytesIn, modelledSeconds, hostSeconds } = device.usage();
    const ran = [
      npuPrecision,
      EXCEPTIONS[npuPrecision],
      device.session!.description.generation === "npu1" ? "XDNA1" : "XDNA2",
      String(launches),
      mib(bytesIn),
      (1000 * modelledSeconds).toFixed(1),
      (1000 * hostSeconds).toFixed(0),
    ];
    if (data === null) {
      rows.push(ran);
      continue;
    }
    const seed = await run(blocksPlan(dims), data.seedInput);
    const speech = relativeError(features, data.speechExact);
    rows.push([
      ...ran,
      percent(relativeError(seed, data.seedExact)),
      percent(relativeError(seed, data.seedBefore)),
      percent(speech),
      goal === null ? "" : `${speech <= goal ? "met" : "MISSED"}: ≤ ${100 * goal} %`,
    ]);
  }
  const errors = data === null ? [] : ["seed, to F32", "seed, to INT8 C++", "jfk, to F32", "goal"];
  return textTable([
    ["policy", "linear layers", "NPU", "launches", "MiB in", "NPU ms, modelled", "host ms", ...errors],
    ...rows,
  ]);
}

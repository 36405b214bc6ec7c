// How far each precision policy is from F32: on the random input that the system before this one was judged on, and on
// speech.

import { ok } from "node:assert/strict";
import { blocksPlan } from "../../bench/npu/policies.ts";
import { readNpy, readTensor } from "../../bench/npu/read_data.ts";
import { relativeError } from "../../bench/relative_error.ts";
import { planEncoder } from "../../encoder/plan.ts";
import type { NpuPrecision } from "../../kernels/npu/policy.ts";
import { openCheckpoint } from "../../model/open.ts";
import { openEmulated } from "./_encoder.ts";
import { testOnEmulatedNpu } from "./_with_emulated.ts";

const percent = (share: number) => `${(100 * share).toFixed(2)} %`;
const fileAt = (path: string) => new URL(`file://${path}`);

/** Least and most error against F32. The first is the figure that the system before this one was known by: 7.9 %. */
const ON_SEED: readonly (readonly [NpuPrecision, model: string, least: number, most: number])[] = [
  ["int8-tensor", "", 0.078, 0.08],
  ["int8-vector", "", 0.03, 0.033],
  ["int8", "", 0.023, 0.026],
  ["bf16", "", 0.006, 0.007],
  ["bfp16-all", "device=strix", 0.017, 0.019],
  ["bfp16", "device=strix", 0.013, 0.015],
];

testOnEmulatedNpu(
  "errors on the seed's input: 7.9 % with one INT8 scale for a matrix, less in each other policy",
  ["whisper-base-encoder", "seed/input.npy", "seed/output_fp32.npy", "seed/output_cpp.npy"],
  async (model, ...files) => {
    const { dims, weights } = await openCheckpoint(model);
    const [input, exact, before] = await Promise.all(files.map((path) => readNpy(fileAt(path))));
    for (const [npuPrecision, npuModel, least, most] of ON_SEED) {
      using device = await openEmulated({ npuPrecision, npuModel });
      using plan = await device.loadPlan(blocksPlan(dims.encoder), weights);
      const output = await plan.run(input);
      const error = relativeError(output, exact);
      console.log(
        `  ${npuPrecision}: ${percent(error)} from F32, ${
          percent(relativeError(output, before))
        } from the C++`,
      );
      ok(error >= least && error <= most, `${npuPrecision}: ${error}`);
    }
  },
);

for (
  const [npuPrecision, npuModel, most] of [
    ["bf16", "", 0.01],
    ["int8", "", 0.03],
    ["bfp16", "device=strix", 0.03],
  ] as const
) {
  testOnEmulatedNpu(
    `${npuPrecision} encodes speech within ${100 * most} % of F32`,
    ["whisper-base-encoder", "golden/jfk.safetensors"],
    async (model, golden) => {
      const { dims, weights } = await openCheckpoint(model);
      using device = await openEmulated({ npuPrecision, npuModel });
      using plan = await device.loadPlan(planEncoder(dims.encoder), weights);
      const output = await plan.run(await readTensor(fileAt(golden), "log_mel"));
      const error = relativeError(output, await readTensor(fileAt(golden), "encoder_output"));
      console.log(`  ${percent(error)}`);
      ok(error <= most, `${error}`);
    },
  );
}

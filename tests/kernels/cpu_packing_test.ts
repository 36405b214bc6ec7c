/** Steps that write tiles of the product behind them, in INT8, against the same steps writing rows. */

import { deepStrictEqual, ok } from "node:assert/strict";
import { planEncoder } from "../../encoder/plan.ts";
import { builtInPolicy, mapProducts } from "../../encoder/policy.ts";
import { CpuDevice } from "../../kernels/cpu/device.ts";
import type { Plan, Step } from "../../kernels/step.ts";
import { LIBRARY_PATH, testWithLibrary, variants } from "../support/cpu_library.ts";
import { Random } from "./_random.ts";
import { makeWeights } from "./_weights.ts";

/** Heads as wide as a group of codes, and half as wide; frames that fill no tile. */
const SIZES = [8, 16].map((n_audio_head) => ({
  n_mels: 5,
  n_audio_ctx: 61,
  n_audio_state: 512,
  n_audio_head,
  n_audio_layer: 1,
}));

/** The plan with a second reader behind each step whose results a product reads: so they must stay rows. */
function withSecondReaders(plan: Plan): Plan {
  const buffers = [...plan.buffers];
  const steps = plan.steps.flatMap((step): Step[] => {
    const { name, rows, columns } = buffers[step.output];
    const vector = plan.weights.findIndex(({ shape }) => shape.length === 1 && shape[0] === columns);
    const isRead = plan.steps.some((other) => other.op === "gemm" && other.input === step.output);
    if (!isRead || vector < 0) return [step];
    const output = buffers.push({ name: `second of ${name}`, rows, columns }) - 1;
    return [step, {
      op: "layernorm",
      input: step.output,
      output,
      weight: vector,
      bias: vector,
      rows,
      columns,
    }];
  });
  return { ...plan, buffers, steps };
}

for (const dims of SIZES) {
  const { n_audio_ctx, n_audio_head } = dims;
  testWithLibrary(
    `a plan gives the same bits with tiles as with rows between its steps, ${n_audio_head} heads`,
    async () => {
      const all = mapProducts(builtInPolicy("f32", dims.n_audio_layer), () => "i8" as const);
      const plan = planEncoder(dims, all), plain = withSecondReaders(plan);
      ok(plain.steps.length > plan.steps.length + 3 * dims.n_audio_layer);
      const numbers = new Random(1);
      const { store } = makeWeights(plan.weights, (length) => numbers.array(length, 0.1));
      const input = numbers.array(dims.n_mels * 2 * n_audio_ctx);
      for (const variant of variants()) {
        for (const threads of [1, 2, 3]) {
          using device = CpuDevice.open({ library: LIBRARY_PATH, variant, threads });
          using tiles = await device.loadPlan(plan, store);
          using rows = await device.loadPlan(plain, store);
          deepStrictEqual(await tiles.run(input), await rows.run(input), `${variant}, ${threads} threads`);
        }
      }
    },
  );
}

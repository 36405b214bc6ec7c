import { planEncoder } from "../../encoder/plan.ts";
import { openPortableDevice } from "../../kernels/portable/device.ts";
import type { Plan, Step } from "../../kernels/step.ts";
import type { EncoderDimensions } from "../../model/dimensions.ts";
import { encoderTensors } from "../../model/weight_names.ts";
import { WeightStore } from "../../model/weights.ts";
import * as naive from "./_naive.ts";
import { assertNear, type Matrix, matrix } from "./_naive.ts";
import { Random } from "./_random.ts";
import { makeWeights } from "./_weights.ts";
import assert from "node:assert/strict";

const TINY: EncoderDimensions = {
  n_mels: 5,
  n_audio_ctx: 7,
  n_audio_state: 6,
  n_audio_head: 3,
  n_audio_layer: 2,
};

type Values = Record<string, Float32Array<ArrayBuffer>>;

/** Whisper's encoder by its formulas. */
function naiveEncoder(dims: EncoderDimensions, w: Values, logMel: Float32Array): Matrix {
  const { n_mels, n_audio_ctx: T, n_audio_state: C } = dims;
  const conv = (input: Matrix, name: string, stride: number): Matrix =>
    Array.from({ length: Math.ceil(input.length / stride) }, (_, t) =>
      Array.from({ length: C }, (_, n) => {
        const channels = input[0].length;
        let sum = w[`${name}.bias`][n];
        for (let j = 0; j < 3; j++) {
          for (let k = 0; k < channels; k++) {
            sum += (input[t * stride + j - 1]?.[k] ?? 0) * w[`${name}.weight`][(n * channels + k) * 3 + j];
          }
        }
        return naive.gelu(sum);
      }));
  const linear = (x: Matrix, name: string) =>
    naive.linear(x, matrix(w[`${name}.weight`], x[0].length), w[`${name}.bias`]);
  const norm = (x: Matrix, name: string) => naive.layerNorm(x, w[`${name}.weight`], w[`${name}.bias`]);

  const frames = Array.from(
    { length: 2 * T },
    (_, t) => Array.from({ length: n_mels }, (_, band) => logMel[band * 2 * T + t]),
  );
  let x = conv(conv(frames, "encoder.conv1", 1), "encoder.conv2", 2);
  x = naive.add(x, matrix(w["encoder.positional_embedding"], C));
  for (let layer = 0; layer < dims.n_audio_layer; layer++) {
    const block = `encoder.blocks.${layer}`;
    const normed = norm(x, `${block}.attn_ln`);
    const [q, k, v] = ["query", "key", "value"].map((part) => linear(normed, `${block}.attn.${part}`));
    x = naive.add(x, linear(naive.attention(q, k, v, dims.n_audio_head), `${block}.attn.out`));
    const hidden = linear(norm(x, `${block}.mlp_ln`), `${block}.mlp.0`).map((row) => row.map(naive.gelu));
    x = naive.add(x, linear(hidden, `${block}.mlp.2`));
  }
  return norm(x, "encoder.ln_post");
}

function tinyModel(seed = 20) {
  const random = new Random(seed);
  return makeWeights(encoderTensors(TINY), (length) => random.array(length, 0.5));
}

const TINY_INPUT = new Random(21).array(TINY.n_mels * 2 * TINY.n_audio_ctx);

Deno.test("the portable device runs the encoder's plan as the formulas say", async () => {
  const { store, values } = tinyModel();
  using device = openPortableDevice();
  using plan = await device.loadPlan(planEncoder(TINY), store);
  const output = await plan.run(TINY_INPUT);
  assertNear(output, naiveEncoder(TINY, values, TINY_INPUT), 1e-5);
  assert.deepEqual(await plan.run(TINY_INPUT), output, "a second run gives the same bits");
});

Deno.test("the portable device's runs queue and do not mix", async () => {
  using device = openPortableDevice();
  using plan = await device.loadPlan(planEncoder(TINY), tinyModel().store);
  const other = new Random(22).array(TINY_INPUT.length);
  const alone = [await plan.run(TINY_INPUT), await plan.run(other)];
  assert.deepEqual(await Promise.all([plan.run(TINY_INPUT), plan.run(other)]), alone);
});

Deno.test("loadPlan() on the portable device names what is wrong with the weights", async () => {
  using device = openPortableDevice();
  const plan = planEncoder(TINY);
  const { values, store } = tinyModel();
  values["encoder.conv1.weight"].set([NaN, Infinity, -Infinity], 4);
  await assert.rejects(device.loadPlan(plan, store), {
    code: "E_MODEL_VALUES",
    message: 'Cannot use this checkpoint: 3 non-finite in "encoder.conv1.weight"',
  });
  const wrong = makeWeights(encoderTensors({ ...TINY, n_mels: 4 }), (length) => new Float32Array(length));
  await assert.rejects(device.loadPlan(plan, wrong.store), { code: "E_MODEL_MISMATCH" });
  await assert.rejects(device.loadPlan(plan, new WeightStore([])), { code: "E_MODEL_MISMATCH" });
});

Deno.test("loadPlan() on the portable device refuses an arithmetic it does not have", async () => {
  using device = openPortableDevice();
  const plan = planEncoder(TINY);
  const half: Plan = { ...plan, steps: plan.steps.map((step) => ({ ...step, arithmetic: "bf16" }) as Step) };
  await assert.rejects(device.loadPlan(half, tinyModel().store), { code: "E_OPTION" });
});

Deno.test("run() on the portable device refuses another input size and use after disposal", async () => {
  using device = openPortableDevice();
  const plan = await device.loadPlan(planEncoder(TINY), tinyModel().store);
  await assert.rejects(plan.run(new Float32Array(3)), { code: "E_OPTION" });
  const running = plan.run(TINY_INPUT);
  assert.throws(() => plan[Symbol.dispose](), { code: "E_BUSY" });
  await running;
  plan[Symbol.dispose]();
  plan[Symbol.dispose]();
  await assert.rejects(plan.run(TINY_INPUT), { code: "E_BUSY" });
});

Deno.test("run() on the portable device lets timers through and stops when aborted", async () => {
  // Large enough for several pauses on any machine: 3 GFLOP.
  const dims: EncoderDimensions = {
    n_mels: 8,
    n_audio_ctx: 500,
    n_audio_state: 256,
    n_audio_head: 4,
    n_audio_layer: 4,
  };
  const random = new Random(23);
  const { store } = makeWeights(encoderTensors(dims), (length) => random.array(length, 0.05));
  using device = openPortableDevice();
  using plan = await device.loadPlan(planEncoder(dims), store);
  const input = random.array(dims.n_mels * 2 * dims.n_audio_ctx);

  const aborted = new AbortController();
  aborted.abort();
  await assert.rejects(plan.run(input, { signal: aborted.signal }), { code: "E_ABORTED" });

  const controller = new AbortController();
  // Only if timers fire during the run can this one abort it.
  const timer = setTimeout(() => controller.abort(), 1);
  await assert.rejects(plan.run(input, { signal: controller.signal }), { code: "E_ABORTED" });
  clearTimeout(timer);
  assert.ok((await plan.run(input)).every(Number.isFinite), "the plan is usable after an abort");
});

import { deepStrictEqual, match, notStrictEqual, ok, rejects, strictEqual, throws } from "node:assert/strict";
import type { SottoError } from "../../errors.ts";
import { planEncoder } from "../../encoder/plan.ts";
import { CpuLibrary } from "../../ffi/cpu_library.ts";
import { CpuDevice, type CpuDeviceOptions } from "../../kernels/cpu/device.ts";
import { WeightTable } from "../../kernels/cpu/weight_table.ts";
import { encoderTensors } from "../../model/weight_names.ts";
import { type StoredTensor, WeightStore } from "../../model/weights.ts";
import { LIBRARY_PATH, testWithLibrary } from "../support/cpu_library.ts";

/** Small, odd and slow enough to be caught running: about 2 GFLOP. */
const DIMS = { n_mels: 80, n_audio_ctx: 1500, n_audio_state: 72, n_audio_head: 3, n_audio_layer: 4 };

const open = (options: CpuDeviceOptions = {}): CpuDevice =>
  CpuDevice.open({ threads: 2, library: LIBRARY_PATH, ...options });

/** Uniform in −1…1, the same every time (a linear congruence, Numerical Recipes' constants). */
function noise(length: number, seed: number): Float32Array<ArrayBuffer> {
  let state = seed >>> 0;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

/** F32 tensors in memory of their own. */
function randomWeights(shapes: readonly { name: string; shape: readonly number[] }[]): StoredTensor[] {
  return shapes.map(({ name, shape }, index) => {
    const values = noise(shape.reduce((product, n) => product * n, 1), index);
    const bytes = new Uint8Array(values.map((value) => value * 0.1).buffer);
    return { name, shape, dtype: "F32", file: { bytes }, byteOffset: 0, byteLength: bytes.length };
  });
}

const weights = new WeightStore(randomWeights(encoderTensors(DIMS)));
const plan = planEncoder(DIMS);
const input = noise(DIMS.n_mels * 2 * DIMS.n_audio_ctx, 99);
const busy = (error: SottoError) => error.code === "E_BUSY";

testWithLibrary(
  "CpuDevice runs calls made at once one after the other, each with its own result",
  async () => {
    using device = open();
    using loaded = await device.loadPlan(plan, weights);
    const inputs = [1, 2, 3].map((seed) => noise(input.length, seed));
    const alone: Float32Array[] = [];
    for (const one of inputs) alone.push(await loaded.run(one));
    const together = await Promise.all([...inputs, ...inputs].map((one) => loaded.run(one)));
    together.forEach((output, i) => deepStrictEqual(output, alone[i % inputs.length]));
    notStrictEqual(together[0], together[3]);
  },
);

testWithLibrary("CpuDevice runs two plans at once with the results of each alone", async () => {
  using device = open();
  using one = await device.loadPlan(plan, weights);
  using other = await device.loadPlan(plan, weights);
  const expected = await one.run(input);
  for (
    const output of await Promise.all([one.run(input), other.run(input), one.run(input), other.run(input)])
  ) {
    deepStrictEqual(output, expected);
  }
});

testWithLibrary("CpuDevice gives the same result on 1, 2 and 3 threads, for any variant", async () => {
  for (const variant of CpuLibrary.open(LIBRARY_PATH).describe().variants) {
    const outputs = [];
    for (const threads of [1, 2, 3]) {
      using device = open({ threads, variant });
      using loaded = await device.loadPlan(plan, weights);
      match(loaded.arithmetic, new RegExp(`^f32 \\(${variant}\\)$`));
      outputs.push(await loaded.run(input));
    }
    deepStrictEqual(outputs[1], outputs[0]);
    deepStrictEqual(outputs[2], outputs[0]);
  }
});

testWithLibrary("a run is aborted before it begins, while it waits, and while it runs", async () => {
  using device = open({ variant: "ref", threads: 1 });
  using loaded = await device.loadPlan(plan, weights);
  const aborted = { code: "E_ABORTED", message: "Stopped by the caller" };
  const expected = await loaded.run(input);
  await rejects(loaded.run(input, { signal: AbortSignal.abort() }), aborted);

  const controller = new AbortController();
  const running = loaded.run(input);
  const waiting = loaded.run(input, { signal: controller.signal });
  controller.abort();
  await rejects(waiting, aborted);
  deepStrictEqual(await running, expected);

  const stopped = new AbortController();
  const watched = loaded.run(input, { signal: stopped.signal });
  setTimeout(() => stopped.abort(), 5);
  await rejects(watched, aborted);
  deepStrictEqual(await loaded.run(input), expected, "the plan is as good as before");
});

testWithLibrary("disposal during a run is refused and harmless; afterwards handles are stale", async () => {
  const device = open();
  const loaded = await device.loadPlan(plan, weights);
  const running = loaded.run(input);
  throws(() => loaded[Symbol.dispose](), busy);
  device[Symbol.dispose](); // the plan keeps the threads
  const output = await running;
  deepStrictEqual(await loaded.run(input), output);
  const last = loaded.run(input);
  await loaded[Symbol.asyncDispose]();
  deepStrictEqual(await last, output);
  await rejects(loaded.run(input), busy);
  await rejects(device.loadPlan(plan, weights), busy);
  loaded[Symbol.dispose]();
  device[Symbol.dispose]();
});

testWithLibrary("arrays of the wrong size are refused with the size they must have", async () => {
  using device = open();
  using loaded = await device.loadPlan(plan, weights);
  for (const length of [0, 1, input.length - 1, input.length + 1]) {
    await rejects(loaded.run(new Float32Array(length)), {
      code: "E_OPTION",
      message: `Cannot run the plan: log-mel must be [80, 3000], got ${length} values`,
    });
  }
  const filters = { bands: 80, weights: new Float32Array(80 * 201) };
  await rejects(device.logMelPower(new Float32Array(559), 2, filters), {
    code: "E_OPTION",
    message: /need 560 samples/,
  });
  await rejects(device.logMelPower(new Float32Array(560), -1, filters), { code: "E_OPTION" });
  await rejects(device.logMelPower(new Float32Array(560), 2, { ...filters, bands: 81 }), {
    code: "E_OPTION",
  });
  strictEqual((await device.logMelPower(new Float32Array(0), 0, filters)).length, 0);
  const silence = await device.logMelPower(new Float32Array(560), 2, filters);
  strictEqual(silence.length, 160);
  ok(silence.every((value) => value === -10), "log10(1e-10)");
});

testWithLibrary(
  "loadPlan() refuses weights that are missing, of another shape, or not finite, by name",
  async () => {
    using device = open();
    const tensors = randomWeights(encoderTensors(DIMS));
    const name = "encoder.blocks.2.mlp.0.weight";
    const at = tensors.findIndex((tensor) => tensor.name === name);
    await rejects(device.loadPlan(plan, new WeightStore(tensors.toSpliced(at, 1))), {
      code: "E_MODEL_MISMATCH",
    });
    const turned = { ...tensors[at], shape: tensors[at].shape.toReversed() };
    await rejects(device.loadPlan(plan, new WeightStore(tensors.with(at, turned))), {
      code: "E_MODEL_MISMATCH",
    });
    for (const value of [NaN, Infinity, -Infinity]) {
      const bytes = tensors[at].file.bytes!.slice();
      new Float32Array(bytes.buffer)[1000] = value;
      const spoilt = new WeightStore(tensors.with(at, { ...tensors[at], file: { bytes } }));
      await rejects(device.loadPlan(plan, spoilt), (error: SottoError) => {
        strictEqual(error.code, "E_MODEL_VALUES");
        match(error.message, /weight "encoder\.blocks\.2\.mlp\.0\.weight".* 1 /);
        return true;
      });
    }
    const outside = new WeightStore(tensors.with(at, { ...tensors[at], byteOffset: 4 }));
    await rejects(device.loadPlan(plan, outside), { code: "E_NATIVE", message: /SOTTO_INVALID_ARGUMENT/ });
    const gone = new WeightStore(tensors.with(at, { ...tensors[at], file: { path: "/nowhere/model" } }));
    await rejects(device.loadPlan(plan, gone), { code: "E_NATIVE", message: /\/nowhere\/model.*SOTTO_IO/ });
  },
);

testWithLibrary("WeightTable opens each file once and closes it", async () => {
  const library = CpuLibrary.open(LIBRARY_PATH);
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeFile(path, new Uint8Array(64));
    const bytes = new Uint8Array(64);
    const tensor = { name: "", dtype: "F16", shape: [2, 3], byteOffset: 4, byteLength: 12 } as const;
    const tensors = [
      { ...tensor, file: { path } },
      { ...tensor, file: { bytes }, dtype: "Q8_0" as const },
      { ...tensor, file: { path }, byteOffset: 16 },
      { ...tensor, file: { bytes } },
    ];
    using table = await WeightTable.open(library, tensors);
    const rows = Array.from(tensors, (_, i) => [...table.words.subarray(4 * i, 4 * i + 4)]);
    strictEqual(rows[0][0], rows[2][0]);
    strictEqual(rows[1][0], rows[3][0]);
    notStrictEqual(rows[0][0], rows[1][0]);
    deepStrictEqual(rows.map((row) => row.slice(1)), [[4n, 1n, 6n], [4n, 3n, 6n], [16n, 1n, 6n], [
      4n,
      1n,
      6n,
    ]]);
  } finally {
    await Deno.remove(path);
  }
});

testWithLibrary("profile() gives the output and every step's time", async () => {
  using device = open();
  using loaded = await device.loadPlan(plan, weights);
  const { output, seconds } = await loaded.profile(input);
  deepStrictEqual(output, await loaded.run(input));
  strictEqual(seconds.length, plan.steps.length);
  ok(seconds.every((value) => value > 0 && Number.isFinite(value)));
});

testWithLibrary("SOTTO_CPU_VARIANT forces kernels; an option goes before it", () => {
  const before = Deno.env.get("SOTTO_CPU_VARIANT");
  try {
    Deno.env.set("SOTTO_CPU_VARIANT", "ref");
    using forced = open();
    match(forced.description, /, ref, 2 threads$/);
    Deno.env.set("SOTTO_CPU_VARIANT", "no-such-kernels");
    throws(() => open(), { code: "E_DEVICE", message: /no-such-kernels/ });
    using chosen = open({ variant: "ref" });
    match(chosen.description, /, ref, 2 threads$/);
  } finally {
    if (before === undefined) Deno.env.delete("SOTTO_CPU_VARIANT");
    else Deno.env.set("SOTTO_CPU_VARIANT", before);
  }
});

import { deepStrictEqual, match, ok, rejects, strictEqual, throws } from "node:assert/strict";
import { Encoder } from "../../encoder/mod.ts";
import { planEncoder } from "../../encoder/plan.ts";
import type { Warning } from "../../errors.ts";
import { XrtLibrary } from "../../ffi/xrt_library.ts";
import { CATALOGUE, ENCODER_NPU1 } from "../../kernels/npu/catalogue.ts";
import { ContextCache } from "../../kernels/npu/contexts.ts";
import { MODELLED_CLOCKS } from "../../kernels/npu/clock.ts";
import { dispatchPlan } from "../../kernels/npu/dispatch.ts";
import { Lane } from "../../kernels/npu/lane.ts";
import { layerTimes, profileLines, profileTable, rooflineOf } from "../../kernels/npu/profile.ts";
import { ResidentPlan } from "../../kernels/npu/resident_plan.ts";
import { explainSelection } from "../../kernels/npu/select.ts";
import { NpuStatistics } from "../../kernels/npu/statistics.ts";
import { policyNamed } from "../../kernels/npu/policy.ts";
import { programFor } from "../../kernels/npu/program_builder.ts";
import { CpuDevice } from "../../kernels/cpu/device.ts";
import { compare } from "../../tensor/compare.ts";
import {
  DIMS,
  expectedProduct,
  logMel,
  openEmulated,
  PLAN,
  productPlan,
  waves,
  WEIGHTS,
} from "./_encoder.ts";
import { testOnEmulatedNpu } from "./_with_emulated.ts";

const BASE = { n_mels: 80, n_audio_ctx: 1500, n_audio_state: 512, n_audio_head: 8, n_audio_layer: 6 };

/** What the CPU device makes of {@linkcode PLAN}. */
async function onCpu(input: Float32Array<ArrayBuffer>): Promise<Float32Array<ArrayBuffer>> {
  using device = CpuDevice.open({ threads: 1 });
  using plan = await device.loadPlan(PLAN, WEIGHTS);
  return await plan.run(input);
}

Deno.test("programFor() does a base window in 32 launches, convolutions and attention among them", () => {
  const policy = policyNamed("bf16", ENCODER_NPU1);
  const { operations } = programFor(planEncoder(BASE), { design: ENCODER_NPU1, policy });
  const launches = operations.filter(({ op }) => op === "launch");
  strictEqual(launches.length, 2 + 6 * 5);
  deepStrictEqual(operations.filter(({ op }) => op === "cpu").map(({ name }) => name), ["transpose"]);
});

for (
  const [precision, model] of [["bf16", ""], ["int8-vector", ""], ["bfp16-all", "device=strix"]] as const
) {
  testOnEmulatedNpu(
    `NpuDevice computes a ${precision} product to the bit, sizes no multiples of tiles`,
    [],
    async () => {
      const shape: [number, number, number] = [70, 72, 40];
      const { plan, weights, weight } = productPlan(...shape);
      using device = await openEmulated({ npuPrecision: precision, npuModel: model });
      using loaded = await device.loadPlan(plan, weights);
      const input = waves(shape[0] * shape[1], 5);
      const type = ({ "bf16": "bf16", "int8-vector": "i8", "bfp16-all": "bfp16" } as const)[precision];
      deepStrictEqual(
        await loaded.run(input),
        expectedProduct(input, weight as Float32Array<ArrayBuffer>, shape, type),
      );
    },
  );
}

testOnEmulatedNpu(
  "NpuDevice keeps NaN and infinity of a bf16 product in their rows; int8 codes are defined",
  [],
  async () => {
    const [M, K, N] = [70, 72, 40];
    const { plan, weights } = productPlan(M, K, N);
    const input = waves(M * K);
    input[3 * K + 5] = NaN;
    input[4 * K] = Infinity;
    for (const npuPrecision of ["bf16", "int8-vector"] as const) {
      using device = await openEmulated({ npuPrecision });
      using loaded = await device.loadPlan(plan, weights);
      const out = await loaded.run(input);
      const bad = out.reduce(
        (rows, x, i) => Number.isFinite(x) ? rows : rows.add(Math.floor(i / N)),
        new Set<number>(),
      );
      // An INT8 code has no NaN: it becomes 0, and infinity the outermost code of the finite values' range.
      deepStrictEqual([...bad], npuPrecision === "bf16" ? [3, 4] : []);
    }
  },
);

for (
  const [precision, model, most] of [
    ["bf16", "", 0.01],
    ["int8", "", 0.03],
    ["int8-vector", "", 0.05],
    ["int8-tensor", "", 0.1],
    ["bfp16", "device=strix", 0.03],
    ["bf16", "device=krackan", 0.01],
  ] as const
) {
  testOnEmulatedNpu(
    `NpuDevice encodes in ${precision} ${model} within ${100 * most} % of the CPU device`,
    [],
    async () => {
      using device = await openEmulated({ npuPrecision: precision, npuModel: model });
      using plan = await device.loadPlan(PLAN, WEIGHTS);
      const { relativeL2 } = compare(await plan.run(logMel()), await onCpu(logMel()));
      ok(relativeL2 !== null && relativeL2 > 0 && relativeL2 < most, `${relativeL2}`);
      const { launches, modelled, modelledSeconds, bytesIn, bytesOut, contexts, fallbacks } = device.usage();
      deepStrictEqual({ launches, modelled, contexts, fallbacks }, {
        launches: 2 + 5 * DIMS.n_audio_layer,
        modelled: true,
        contexts: 1,
        fallbacks: 0,
      });
      ok(modelledSeconds > 0 && bytesIn > 0 && bytesOut > 0);
    },
  );
}

Deno.test("dispatchPlan() leaves to the CPU what it does faster, and says why", () => {
  const policy = policyNamed("bf16", ENCODER_NPU1);
  const clock = MODELLED_CLOCKS.npu1;
  const choose = (cpu: number) =>
    dispatchPlan(PLAN, { design: ENCODER_NPU1, policy, clock, rates: { cpu, convert: 10 }, where: "hybrid" });
  const [fast, slow] = [choose(1000), choose(0.001)];
  strictEqual(PLAN.steps.filter(fast.onCpu).length, 2 + 5 * DIMS.n_audio_layer);
  strictEqual(PLAN.steps.filter(slow.onCpu).length, 0);
  match(explainSelection(fast.selection), /the CPU is faster/);
});

for (const left of ["attention", "gemm", "conv1d"]) {
  testOnEmulatedNpu(`programFor() leaves every ${left} to the CPU where it is told to`, [], async () => {
    using device = await openEmulated();
    const { session, policy, host } = device;
    const { design } = session!;
    const programOf = (windows: number) =>
      programFor(PLAN, { design, policy, windows, onCpu: ({ op }) => op === left });
    ok(programOf(1).operations.some((operation) => operation.op === "cpu" && operation.step.op === left));
    using resident = await ResidentPlan.load(session!, programOf, WEIGHTS, { host, policy });
    const inputs = [logMel(), logMel(2)];
    const alone: Float32Array[] = [];
    for (const windows of [1, 2]) {
      await using lane = await Lane.open(resident, windows, { host, statistics: new NpuStatistics(true) });
      const outputs = await lane.run(inputs.slice(0, windows), { timeout: 0 });
      alone.push(outputs[0]);
      for (const [i, output] of outputs.entries()) {
        const { relativeL2 } = compare(output, await onCpu(inputs[i]));
        ok(relativeL2 !== null && relativeL2 > 0 && relativeL2 < 0.01, `${relativeL2}`);
      }
    }
    deepStrictEqual(alone[1], alone[0]);
  });
}

testOnEmulatedNpu(
  "NpuDevice takes the encoder's precision, unless it was given its own; f32 is refused",
  [],
  async () => {
    using device = await openEmulated();
    const load = (precision: "f32" | "half" | "int8") =>
      Encoder.load({ dims: DIMS, weights: WEIGHTS }, { device, precision });
    using half = await load("half");
    using int8 = await load("int8");
    deepStrictEqual([half.arithmetic, int8.arithmetic], ["bf16 (NPU)", "int8 (NPU)"]);
    await rejects(load("f32"), { code: "E_OPTION" });
    using own = await openEmulated({ npuPrecision: "int8-tensor" });
    using encoder = await Encoder.load({ dims: DIMS, weights: WEIGHTS }, { device: own, precision: "half" });
    strictEqual(encoder.arithmetic, "int8-tensor (NPU)");
  },
);

testOnEmulatedNpu("profileLines() share out the time, and hold it against the roofline", [], async () => {
  using device = await openEmulated();
  using plan = await device.loadPlan(PLAN, WEIGHTS);
  await plan.run(logMel());
  const lines = profileLines(device.profile(), rooflineOf(ENCODER_NPU1, MODELLED_CLOCKS.npu1, "bf16"));
  const launches = lines.filter(({ kind }) => kind === "launch");
  strictEqual(launches.reduce((sum, { count }) => sum + count, 0), 12);
  ok(Math.abs(launches.reduce((sum, { share }) => sum + share, 0) - 1) < 1e-9);
  for (const { shareOfPeak, intensity } of launches) {
    ok(shareOfPeak !== null && shareOfPeak > 0 && shareOfPeak <= 1);
    ok(intensity !== null && intensity > 0);
  }
  const modelled = layerTimes(device.profile()).reduce((sum, { modelled }) => sum + modelled, 0);
  ok(Math.abs(modelled / 1000 - device.usage().modelledSeconds) < 1e-9);
  strictEqual(profileTable(lines).split("\n").length, lines.length + 1);
});

testOnEmulatedNpu(
  "NpuDevice gives the same bits to one window and to many at once, from several encoders",
  [],
  async () => {
    using device = await openEmulated();
    using first = await device.loadPlan(PLAN, WEIGHTS);
    using second = await device.loadPlan(PLAN, WEIGHTS);
    const inputs = [1, 2, 3, 4, 5].map(logMel);
    const alone: Float32Array[] = [];
    for (const input of inputs) alone.push(await first.run(input));
    const together = await Promise.all(inputs.flatMap((input) => [first.run(input), second.run(input)]));
    together.forEach((out, i) => deepStrictEqual(out, alone[i >> 1]));
  },
);

testOnEmulatedNpu("NpuLoadedPlan refuses to be disposed of while it runs, or waits", [], async () => {
  using device = await openEmulated();
  const plan = await device.loadPlan(PLAN, WEIGHTS);
  const running = plan.run(logMel());
  throws(() => plan[Symbol.dispose](), { code: "E_BUSY" });
  throws(() => device[Symbol.dispose](), { code: "E_BUSY" });
  await Promise.all([running, plan[Symbol.asyncDispose]()]);
  await rejects(plan.run(logMel()), { code: "E_BUSY" });
});

testOnEmulatedNpu(
  "NpuLoadedPlan refuses an input that was detached while it waited, and lives on",
  [],
  async () => {
    using device = await openEmulated();
    await using plan = await device.loadPlan(PLAN, WEIGHTS);
    const expected = await plan.run(logMel(2));
    const input = logMel();
    const running = plan.run(input);
    structuredClone(input, { transfer: [input.buffer] });
    await rejects(running, { code: "E_OPTION", message: /detached before its turn came/ });
    deepStrictEqual(await plan.run(logMel(2)), expected);
  },
);

testOnEmulatedNpu("NpuLoadedPlan stops with E_ABORTED between two launches", [], async () => {
  using device = await openEmulated({ npuModel: "slow=20" });
  using plan = await device.loadPlan(PLAN, WEIGHTS);
  const stop = new AbortController();
  const running = plan.run(logMel(), { signal: stop.signal });
  setTimeout(() => stop.abort(), 50);
  await rejects(running, { code: "E_ABORTED" });
});

for (
  const fault of ["error@4", "hang@4,watchdog=50", "lost@4", "submit=5@4", "buffer=12@9", "context=22@1"]
) {
  testOnEmulatedNpu(
    `NpuDevice does a window again on a fresh NPU after ${fault}, with one warning`,
    [],
    async () => {
      const warnings: Warning[] = [];
      using device = await openEmulated({ npuModel: fault, onWarning: (warning) => warnings.push(warning) });
      XrtLibrary.open("sotto_npu_emulated").configure(""); // the next one that is opened is sound
      using plan = await device.loadPlan(PLAN, WEIGHTS);
      const out = await plan.run(logMel());
      using sound = await openEmulated();
      using same = await sound.loadPlan(PLAN, WEIGHTS);
      deepStrictEqual(out, await same.run(logMel()));
      const { fallbacks, retries } = device.usage();
      deepStrictEqual([fallbacks, retries], [0, 1]);
      deepStrictEqual(warnings.map(({ code }) => code), ["W_NPU_RETRIED"]);
    },
  );
}

for (
  const [fault, code, exit] of [
    ["error@4+", "E_NPU_COMMAND", 72],
    ["hang@4+,watchdog=50", "E_NPU_TIMEOUT", 72],
    ["lost@4+", "E_NPU_LOST", 72],
  ] as const
) {
  testOnEmulatedNpu(`NpuDevice asked for by name fails with ${code} after ${fault}`, [], async () => {
    using device = await openEmulated({ npuModel: fault, onNpuFault: "fail" });
    using plan = await device.loadPlan(PLAN, WEIGHTS);
    const span = { start: 330, end: 359.96 };
    await rejects(
      plan.run(logMel(), { span }),
      (error: { code: string; exitStatus: number; message: string }) => {
        deepStrictEqual([error.code, error.exitStatus], [code, exit]);
        match(error.message, /; in the window 5:30\.0 to 6:00\.0$/);
        return true;
      },
    );
  });
}

for (
  const [model, code, exit] of [
    ["device=none", "E_NPU_ABSENT", 71],
    ["permission", "E_NPU_PERMISSION", 77],
    ["memlock", "E_NPU_MEMLOCK", 71],
  ] as const
) {
  testOnEmulatedNpu(`NpuDevice.open() answers ${code} for ${model}, with what to do`, [], async () => {
    await rejects(
      openEmulated({ npuModel: model }),
      (error: { code: string; hint: string; exitStatus: number }) => {
        deepStrictEqual([error.code, error.exitStatus], [code, exit]);
        match(error.hint, /driver|group|memlock/);
        return true;
      },
    );
  });
}

testOnEmulatedNpu(
  "NpuDevice.open() refuses bfp16 on XDNA1, policies there are not, overlays that are none",
  [],
  async () => {
    await rejects(openEmulated({ npuPrecision: "bfp16" }), { code: "E_DEVICE" });
    await rejects(openEmulated({ npuPrecision: "int9" as "int8" }), { code: "E_OPTION" });
    await rejects(openEmulated({ npuOverlay: "/nowhere/encoder.xclbin" }), { code: "E_INPUT" });
    await rejects(openEmulated({ npuOverlay: new URL(import.meta.url) }), { code: "E_XCLBIN" });
  },
);

testOnEmulatedNpu(
  "ContextCache keeps within the device's limit: the least recently used gives way, none in use does",
  [],
  async () => {
    const library = XrtLibrary.open("sotto_npu_emulated");
    library.configure("");
    using device = await library.openDevice();
    const limit = device.describe().contexts!;
    strictEqual(limit, 6);
    const designs = CATALOGUE.flatMap(({ design }) =>
      design !== null && design.generation === "npu1" ? [design] : []
    );
    const wide = [1, 2, 4].flatMap((columns) => [1, 2].map((rows) => ({ ...ENCODER_NPU1, columns, rows })));
    const seven = [...new Set([designs[0], ...wide])];
    using cache = new ContextCache(device, limit);
    for (const design of seven) (await cache.acquire(design))[Symbol.dispose]();
    strictEqual(cache.size, 6);
    (await cache.acquire(seven[6]))[Symbol.dispose]();
    strictEqual(cache.made, 7); // still there
    (await cache.acquire(seven[0]))[Symbol.dispose]();
    strictEqual(cache.made, 8); // had given way
    using held = new DisposableStack();
    for (const design of seven.slice(0, 6)) held.use(await cache.acquire(design));
    await rejects(cache.acquire(seven[6]), { code: "E_NPU_CONTEXT" });
  },
);

testOnEmulatedNpu("Encoder.load() takes an open NPU device and leaves it open", [], async () => {
  using device = await openEmulated();
  {
    using encoder = await Encoder.load({ dims: DIMS, weights: WEIGHTS }, { device });
    strictEqual(encoder.arithmetic, "bf16 (NPU)");
    strictEqual((await encoder.encode(logMel())).length, DIMS.n_audio_ctx * DIMS.n_audio_state);
  }
  using again = await device.loadPlan(PLAN, WEIGHTS);
  await again.run(logMel());
});

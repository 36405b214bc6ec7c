import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { Encoder, planEncoder } from "../../encoder/mod.ts";
import { BLOCK_PRODUCTS, builtInPolicy, mapProducts } from "../../encoder/policy.ts";
import { arithmeticFor, halfArithmetic, type Precision, resolvePrecision } from "../../encoder/precision.ts";
import { CpuDevice } from "../../kernels/cpu/device.ts";
import type { Arithmetic } from "../../kernels/step.ts";
import { openCheckpoint } from "../../model/open.ts";
import { LIBRARY_PATH, testWithLibrary, variants } from "../support/cpu_library.ts";
import { readGolden, relativeError } from "../support/golden.ts";
import { PROJECT_ROOT, testWithData } from "../support/shared_data.ts";

const DEMO = new URL("models/demo", PROJECT_ROOT);

/** Rates as processors have them, in units of F32 multiply-adds. */
const ZEN_5 = { rates: { f32: 1, bf16: 2, i8: 4 } };
const EMERALD_RAPIDS_WITHOUT_AMX = { rates: { f32: 1, bf16: 0.5, f16: 2, i8: 4 } };
const AVX2_ONLY = { rates: { f32: 1, bf16: 0.05, i8: 1.05 } };
const PORTABLE = {};

Deno.test("halfArithmetic() is the fastest in 16 bits, and F32 where none pays", () => {
  const found = [ZEN_5, EMERALD_RAPIDS_WITHOUT_AMX, AVX2_ONLY, PORTABLE].map(halfArithmetic);
  deepStrictEqual(found, ["bf16", "f16", "f32", "f32"]);
});

Deno.test("resolvePrecision() takes for auto what pays, and leaves what was asked for", () => {
  const auto = [ZEN_5, EMERALD_RAPIDS_WITHOUT_AMX, AVX2_ONLY, PORTABLE].map((device) =>
    resolvePrecision("auto", device, true)
  );
  deepStrictEqual(auto, ["int8", "int8", "f32", "f32"]);
  strictEqual(resolvePrecision("auto", { rates: { f32: 1, bf16: 2, i8: 1 } }, true), "half");
  strictEqual(resolvePrecision("auto", ZEN_5, false), "half");
  strictEqual(resolvePrecision("int8", AVX2_ONLY, false), "int8");
});

Deno.test("builtInPolicy() keeps what errs most exact, and int8 out of the first block", () => {
  const half = { qkv: "half", attention: "half", out: "half", mlp1: "half", mlp2: "half" };
  const int8 = { qkv: "int8", attention: "int8", out: "int8", mlp1: "int8", mlp2: "int8" };
  deepStrictEqual(builtInPolicy("half", 2), {
    conv1: "f32",
    conv2: "half",
    blocks: [{ ...half, qkv: "f32", out: "f32" }, half],
  });
  deepStrictEqual(builtInPolicy("int8", 3), {
    conv1: "f32",
    conv2: "half",
    blocks: [{ ...half, out: "f32" }, { ...half, attention: "int8", mlp2: "int8" }, int8],
  });
  const exact = builtInPolicy("f32", 1);
  deepStrictEqual([exact.conv1, exact.conv2], ["f32", "f32"]);
  strictEqual(BLOCK_PRODUCTS.every((product) => exact.blocks[0][product] === "f32"), true);
});

Deno.test("arithmeticFor() computes attention in INT8 where bytes are multiplied faster than F32, and never in F16", () => {
  const dims = { n_mels: 80, n_audio_ctx: 1500, n_audio_state: 128, n_audio_head: 2, n_audio_layer: 3 };
  const third = (device: Parameters<typeof halfArithmetic>[0]) =>
    arithmeticFor("int8", dims, device).blocks[2];
  strictEqual(third(ZEN_5).attention, "i8");
  strictEqual(third(EMERALD_RAPIDS_WITHOUT_AMX).attention, "i8");
  strictEqual(arithmeticFor("half", dims, EMERALD_RAPIDS_WITHOUT_AMX).blocks[2].attention, "f32");
  strictEqual(third(EMERALD_RAPIDS_WITHOUT_AMX).mlp1, "i8");
  strictEqual(third(AVX2_ONLY).attention, "f32");
  deepStrictEqual(arithmeticFor("int8", dims, PORTABLE), arithmeticFor("f32", dims, PORTABLE));
});

/** What each precision promises, as relative L2 error of the features. */
const MOST_ERROR: readonly (readonly [Precision, number])[] = [["half", 0.01], ["int8", 0.02], [
  "auto",
  0.02,
]];

for (const [precision, most] of MOST_ERROR) {
  const golden = ["whisper-base-encoder", "golden/jfk.safetensors"];
  testWithData(
    `Encoder stays within ${100 * most} % of PyTorch in ${precision}`,
    golden,
    async (model, results) => {
      const { log_mel, encoder_output } = await readGolden(results);
      using encoder = await Encoder.load(model, {
        device: "cpu",
        library: LIBRARY_PATH,
        precision,
        threads: 2,
      });
      const error = relativeError(await encoder.encode(log_mel), encoder_output);
      ok(error <= most, `relative L2 error ${error} in ${encoder.arithmetic}`);
    },
  );
}

/**
 * Two ways of adding up the same rounded numbers: F32 sums differ in their last bits, and where that turns a rounding
 * after them, by one step of that format.
 */
const SAME_ARITHMETIC: Partial<Record<Arithmetic, number>> = { bf16: 5e-3, i8: 2e-2 };

for (const [arithmetic, most] of Object.entries(SAME_ARITHMETIC)) {
  testWithLibrary(`every variant gives nearly the same features in ${arithmetic}`, async () => {
    const { dims: { encoder: dims }, weights } = await openCheckpoint(DEMO.pathname);
    const all = mapProducts(builtInPolicy("f32", dims.n_audio_layer), () => arithmetic as Arithmetic);
    const input = Float32Array.from({ length: 80 * 3000 }, (_, i) => Math.sin(i * i / 1000));
    const features = [];
    for (const variant of variants()) {
      using device = CpuDevice.open({ library: LIBRARY_PATH, variant, threads: 2 });
      using plan = await device.loadPlan(planEncoder(dims, all), weights);
      strictEqual(plan.arithmetic, `${arithmetic} (${variant})`);
      features.push(await plan.run(input));
    }
    for (const [i, found] of features.entries()) {
      const error = relativeError(found, features[0]);
      ok(error <= most, `${variants()[i]} differs by ${error}`);
    }
  });
}

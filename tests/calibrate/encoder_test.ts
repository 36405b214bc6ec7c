import { match, ok, rejects, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import type { Calibration } from "../../encoder/calibration.ts";
import type { Warning } from "../../errors.ts";
import { writeCalibration } from "../../encoder/calibration_file.ts";
import { withMigrations } from "../../encoder/migration.ts";
import { Encoder, planEncoder } from "../../encoder/mod.ts";
import { builtInPolicy, mapProducts } from "../../encoder/policy.ts";
import { chooseArithmetic } from "../../encoder/precision.ts";
import { CpuDevice } from "../../kernels/cpu/device.ts";
import type { Plan } from "../../kernels/step.ts";
import { openCheckpoint } from "../../model/open.ts";
import { assertRefused, DEMO_MODEL, inFolder, recording, runCommand } from "../support/command.ts";
import { HAS_LIBRARY, LIBRARY_PATH, testWithLibrary } from "../support/cpu_library.ts";
import { relativeError } from "../support/golden.ts";
import { demoCalibration } from "./_calibration.ts";

const INPUT = Float32Array.from({ length: 80 * 3000 }, (_, i) => Math.sin(i * i / 1000));

/** What moving scales may leave in F32: one rounding of each number. */
const ROUNDING = 1e-6;

testWithLibrary("a migration leaves the features in F32 as they are, and changes those in INT8", async () => {
  const { dims: { encoder: dims }, weights } = await openCheckpoint(DEMO_MODEL);
  const migrations = [1, 2].flatMap((block) =>
    (["qkv", "mlp1"] as const).map((product) => ({
      block,
      product,
      scales: Float32Array.from({ length: dims.n_audio_state }, (_, i) => 0.25 + (i % (5 + block)) / 2),
    }))
  );
  const all = mapProducts(builtInPolicy("f32", dims.n_audio_layer), () => "i8" as const);
  const migrated = planEncoder(dims, all, migrations);
  const inF32: Plan = {
    ...migrated,
    steps: migrated.steps.map((step) => "arithmetic" in step ? { ...step, arithmetic: "f32" } : step),
  };
  const more = await withMigrations(weights, dims, migrations);
  using device = CpuDevice.open({ library: LIBRARY_PATH, threads: 2 });
  const run = async (plan: Plan, from = weights) => {
    using loaded = await device.loadPlan(plan, from);
    return await loaded.run(INPUT);
  };
  const exact = await run(planEncoder(dims));
  const moved = relativeError(await run(inF32, more), exact);
  ok(moved > 0 && moved < ROUNDING, `${moved}`);
  const rounded = relativeError(await run(migrated, more), await run(planEncoder(dims, all)));
  ok(rounded > 1e-3 && rounded < 0.1, `${rounded}`);
});

testWithLibrary(
  "the library refuses scales of columns that there are not, or of another length",
  async () => {
    const { dims: { encoder: dims }, weights } = await openCheckpoint(DEMO_MODEL);
    using device = CpuDevice.open({ library: LIBRARY_PATH, threads: 1 });
    const plan = planEncoder(dims);
    const bias = plan.weights.findIndex(({ name }) => name === "encoder.blocks.0.mlp.0.bias");
    for (const columnScales of [plan.weights.length, -2, bias]) {
      const steps = plan.steps.map((step) =>
        step.op === "gemm" && step.K === 128 ? { ...step, columnScales } : step
      );
      await rejects(
        device.loadPlan({ ...plan, steps }, weights),
        /^SottoError: Cannot (prepare step|read a weight) /,
        `${columnScales}`,
      );
    }
  },
);

Deno.test("planEncoder() migrates products in INT8 alone", async () => {
  const { dims, migrations } = await demoCalibration();
  const plan = planEncoder(dims, undefined, migrations);
  strictEqual(plan.weights.length, planEncoder(dims).weights.length);
  ok(plan.steps.every((step) => !("columnScales" in step)));
});

const VNNI = { rates: { f32: 1, bf16: 2, i8: 4 } };

Deno.test("chooseArithmetic() takes a calibration for int8, and for auto one whose every error is within 2 %", async () => {
  const erring = (error: number): Promise<Calibration> =>
    demoCalibration({
      report: {
        date: "2026-03-01",
        target: 0.05,
        device: "a processor",
        arithmetic: "i8",
        clips: [{ name: "speech", kind: "recording", held_out: true, error, built_in: 0 }],
      },
    });
  const { dims } = await erring(0);
  const large = { ...dims, n_audio_state: 1280 };
  for (const error of [0.0199, 0.0201]) {
    const calibration = await erring(error);
    strictEqual(chooseArithmetic("int8", dims, VNNI, calibration).isCalibrated, true);
    strictEqual(chooseArithmetic("auto", dims, VNNI, calibration).isCalibrated, error <= 0.02);
    strictEqual(chooseArithmetic("auto", large, VNNI, calibration).isCalibrated, error <= 0.02);
    strictEqual(chooseArithmetic("half", dims, VNNI, calibration).isCalibrated, false);
    strictEqual(chooseArithmetic("int8", dims, {}, calibration).isCalibrated, false);
  }
  strictEqual(chooseArithmetic("auto", large, VNNI).arithmetic.blocks[3].mlp2, "bf16");
});

testWithLibrary(
  "Encoder runs what a precision file says, says so, and refuses one that does not fit",
  async () => {
    const policy = mapProducts(builtInPolicy("f32", 4), (_, product) => product === "mlp2" ? "int8" : "f32");
    const calibration = await demoCalibration({ policy, migrations: [] });
    await inFolder(async (folder) => {
      const precisionFile = join(folder, "mine.json");
      const options = { device: "cpu", library: LIBRARY_PATH, threads: 1, precision: "int8" } as const;
      await Deno.writeTextFile(precisionFile, writeCalibration(calibration));
      using encoder = await Encoder.load(DEMO_MODEL, { ...options, precisionFile });
      match(
        encoder.arithmetic,
        /^conv1d f32, gemm f32 \(4 of 16 i8\), attention f32 \(\w+\), by mine\.json$/,
      );
      using other = await Encoder.load(DEMO_MODEL, options);
      ok(!other.arithmetic.includes(", by"), other.arithmetic);
      ok(relativeError(await encoder.encode(INPUT), await other.encode(INPUT)) > 1e-3);

      await rejects(Encoder.load(DEMO_MODEL, { ...options, precisionFile, precision: "half" }), {
        code: "E_OPTION",
      });
      await Deno.writeTextFile(
        precisionFile,
        writeCalibration(await demoCalibration({ fingerprint: "0".repeat(64) })),
      );
      await rejects(Encoder.load(DEMO_MODEL, { ...options, precisionFile }), { code: "E_MODEL_MISMATCH" });
    });
  },
);

testWithLibrary("Encoder says that a precision file is not used, and why", async () => {
  await inFolder(async (folder) => {
    const precisionFile = join(folder, "mine.json");
    const load = async (device: "cpu" | "portable" | "npu-emulated", precision: "int8" | "auto") => {
      const said: string[] = [];
      const onWarning = ({ code, message }: Warning) => said.push(`${code}: ${message}`);
      const library = device === "cpu" ? LIBRARY_PATH : undefined;
      using encoder = await Encoder.load(DEMO_MODEL, {
        device,
        precision,
        precisionFile,
        library,
        onWarning,
      });
      ok(said.length === 0 || !encoder.arithmetic.includes(", by"), encoder.arithmetic);
      return said.join();
    };
    await Deno.writeTextFile(precisionFile, writeCalibration(await demoCalibration()));
    strictEqual(await load("cpu", "int8"), "");
    match(await load("portable", "int8"), /^W_OPTION: .*mine\.json is not used: .* device portable chooses/);
    match(await load("npu-emulated", "int8"), /^W_OPTION: .*mine\.json is not used: .* device npu-emulated /);
    const poor = await demoCalibration();
    const clips = poor.report.clips.map((clip) => ({ ...clip, error: 0.03 }));
    const report = { ...poor.report, clips };
    await Deno.writeTextFile(precisionFile, writeCalibration({ ...poor, report }));
    match(await load("cpu", "auto"), /mine\.json is not used: an error in its report is above 2 %/);
    strictEqual(await load("cpu", "int8"), "");
  });
});

Deno.test({
  name:
    "the command reads --precision_file with permission for it, and ends with one error where it does not fit",
  ignore: !HAS_LIBRARY,
  fn: () =>
    inFolder(async (folder) => {
      const file = join(folder, "mine.json");
      await Deno.writeTextFile(file, writeCalibration(await demoCalibration()));
      const args = [
        "--model",
        DEMO_MODEL,
        "--precision",
        "int8",
        "--precision_file",
        file,
        recording("01_command"),
      ];
      const permissions = { read: [DEMO_MODEL], ffi: [LIBRARY_PATH] };
      assertRefused(await runCommand(args, { permissions }), "E_PERMISSION", /mine\.json/);
      const granted = { ...permissions, read: [DEMO_MODEL, file] };
      const { code, stdout, stderr } = await runCommand(args, { permissions: granted });
      strictEqual(code, 0, stderr);
      match(stdout + stderr, /, by mine\.json/);
      await Deno.writeTextFile(file, '{"format": "sotto_precision", "version": 7}');
      assertRefused(await runCommand(args, { permissions: granted }), "E_MODEL_FORMAT", /mine\.json/);
    }),
});

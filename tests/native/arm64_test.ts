/**
 * The library for Linux on arm64 on an emulated processor: every kernel, the decoder, the C interface, and a recording of
 * the bundled model from its log-mel to its text. Wants Debian's `gcc-aarch64-linux-gnu` and `qemu-user`.
 */

import assert from "node:assert/strict";
import { join } from "node:path";
import { planEncoder } from "../../encoder/plan.ts";
import { SottoDtype } from "../../ffi/cpu_symbols.ts";
import { decoderWords } from "../../kernels/cpu/decoder.ts";
import { programOf } from "../../kernels/cpu/program.ts";
import { loadAudio, loadModel, logMel, openCheckpoint, padOrTrim, type WhisperModel } from "../../mod.ts";
import { decoderTensors } from "../../model/weight_names.ts";
import type { StoredTensor } from "../../model/weights.ts";
import { DEMO_MODEL, inFolder, recording } from "../support/command.ts";
import { buildTestProgram, type PROGRAMS, runProgram } from "./_build_test_program.ts";

const TARGET = "aarch64-linux-gnu";
const VARIANTS = ["neon", "neondot"];

function runs(command: string): boolean {
  try {
    return new Deno.Command(command, { args: ["--version"], stdout: "null", stderr: "null" }).outputSync()
      .success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

const missing = Deno.build.os !== "linux"
  ? ["Linux"]
  : ["qemu-aarch64", `${TARGET}-gcc`].filter((command) => !runs(command));
if (missing.length > 0) {
  console.log(`skipped: nothing is run on an emulated arm64 (no ${missing.join(", ")})`);
}
const ignore = missing.length > 0;

/** What a test program for arm64 prints. */
async function emulate(name: keyof typeof PROGRAMS, ...args: string[]): Promise<string[]> {
  const program = await buildTestProgram(name, { target: TARGET });
  const { code, lines } = await runProgram("qemu-aarch64", [program!, ...args]);
  assert.equal(code, 0, lines.join("\n"));
  return lines;
}

for (const variant of VARIANTS) {
  Deno.test({
    name: `every ${variant} kernel agrees with its definition over sizes that straddle its tiles`,
    ignore,
    fn: async () => {
      const lines = await emulate("kernels_test", variant);
      const tested = lines.filter((line) => /^ok .*compared/.test(line));
      assert.ok(
        tested.length >= 2 && tested.every((line) => line.includes(`_${variant} `)),
        lines.join("\n"),
      );
    },
  });
}

Deno.test({
  name: "the decoder and the C interface do on arm64 what they do here",
  ignore,
  fn: async () => {
    assert.deepEqual((await emulate("library_test")).filter((line) => line.startsWith("FAIL")), []);
    const lines = await emulate("decoder_test");
    for (const variant of VARIANTS) assert.ok(lines.some((line) => line.startsWith(variant)), variant);
  },
});

/** Counts and arrays as native/tests/replay.c reads them. */
function jobOf(
  model: WhisperModel,
  tensorsOf: (wanted: readonly { name: string; shape: readonly number[] }[]) => readonly StoredTensor[],
  input: Float32Array<ArrayBuffer>,
  prompt: readonly number[],
): Uint8Array {
  const { dims } = model;
  const plan = planEncoder(dims);
  const { buffers, steps, arena } = programOf(plan);
  const [weights, decoderWeights] = [plan.weights, decoderTensors(dims)].map((wanted) =>
    BigUint64Array.from(
      tensorsOf(wanted).flatMap(({ byteOffset, dtype, shape }) =>
        [0, byteOffset, SottoDtype[`SOTTO_${dtype}`], shape.reduce((a, b) => a * b, 1)].map(BigInt)
      ),
    )
  );
  const features = dims.n_audio_ctx * dims.n_audio_state;
  const counts = [
    ...[buffers.length, weights.length, steps.length, arena, input.length, features],
    ...[decoderWeights.length, prompt.length],
  ];
  const numbers = [...decoderWords(dims), model.tokenizer.special.eot, plan.input, plan.output, MOST_TOKENS];
  const arrays = [
    ...[BigInt64Array.from(counts, BigInt), buffers, weights, steps, decoderWeights],
    ...[input, Int32Array.from(prompt), Int32Array.from(numbers)],
  ];
  return new Uint8Array(arrays.flatMap((array) => [...new Uint8Array(array.buffer)]));
}

const MOST_TOKENS = 60;

Deno.test({
  name: "a window is encoded and decoded on arm64 as it is here",
  ignore,
  fn: async () => {
    const { weights } = await openCheckpoint(DEMO_MODEL);
    await using model = await loadModel(DEMO_MODEL, { precision: "f32" });
    const { dims, tokenizer, device } = model;
    const audio = padOrTrim(await loadAudio(recording("01_command")));
    const { data } = await logMel(audio, { bands: dims.n_mels, device });
    const here = await model.encoder.encode(data);
    const prompt = [...tokenizer.startSequence("en", "transcribe"), tokenizer.special.noTimestamps];
    const job = jobOf(
      model,
      (wanted) => wanted.map(({ name, shape }) => weights.get(name, shape)),
      data,
      prompt,
    );
    await inFolder(async (folder) => {
      const [from, to] = [join(folder, "job"), join(folder, "out")];
      await Deno.writeFile(from, job);
      await emulate("replay", VARIANTS.at(-1)!, from, join(DEMO_MODEL, "model.safetensors"), to);
      const { buffer } = await Deno.readFile(to);
      const there = new Float32Array(buffer, 0, here.length);
      const squares = (values: Float32Array) => values.reduce((sum, value) => sum + value * value, 0);
      const error = Math.sqrt(squares(here.map((value, i) => value - there[i])) / squares(here));
      assert.ok(error < 1e-5, `features are ${error} away`);
      const tokens = [...new Int32Array(buffer, 4 * here.length)];
      assert.equal(tokens.pop(), tokenizer.special.eot);
      assert.equal(
        tokenizer.decode(tokens).trim(),
        "The train to Paris leaves at three twenty-four from platform twenty-four.",
      );
    });
  },
});

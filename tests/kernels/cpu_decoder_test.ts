import { deepStrictEqual, match, ok, rejects, strictEqual, throws } from "node:assert/strict";
import type { SottoError } from "../../errors.ts";
import { CpuDevice } from "../../kernels/cpu/device.ts";
import { decoderArithmetic } from "../../kernels/cpu/decoder.ts";
import type { LoadedDecoder } from "../../kernels/device.ts";
import { openCheckpoint } from "../../model/open.ts";
import type { StoredDtype, StoredTensor } from "../../model/weights.ts";
import { LIBRARY_PATH, testWithLibrary, variants } from "../support/cpu_library.ts";
import { readGolden, relativeError } from "../support/golden.ts";
import { PROJECT_ROOT, testWithData } from "../support/shared_data.ts";

const demo = await openCheckpoint(new URL("models/demo", PROJECT_ROOT).pathname);
const dims = demo.dims.decoder!;
const V = dims.n_vocab;
const FEATURES = dims.n_audio_ctx * dims.n_text_state;

/** F16 weights against PyTorch's F32 ones of the same values, sums in another order; measured 1e-6 to 4e-6. */
const TOLERANCE = 1e-4;

async function withDecoder(variant: string, body: (decoder: LoadedDecoder) => Promise<void>): Promise<void> {
  using device = CpuDevice.open({ library: LIBRARY_PATH, variant, threads: 2 });
  using decoder = await device.loadDecoder(dims, demo.weights);
  await body(decoder);
}

/** Deterministic features that are like nothing in particular. */
const features = Float32Array.from({ length: FEATURES }, (_, i) => Math.sin(i * 0.7) + Math.cos(i * 0.013));

const row = (logits: Float32Array, index: number) => logits.subarray(index * V, (index + 1) * V);

for (const variant of variants()) {
  for (const clip of ["01_command", "06_german", "08_commands", "09_long"]) {
    testWithData(`the decoder gives openai-whisper's logits of ${clip} (${variant})`, [
      `parity/${clip}.safetensors`,
    ], async (path) => {
      const { encoder, prefix, steps, logits } = await readGolden(path);
      await withDecoder(variant, async (decoder) => {
        using session = decoder.open(1);
        await session.setFeatures(encoder);
        let tokens = Int32Array.from(prefix);
        let position = 0;
        for (let step = 0; step < 8; step++) {
          const error = relativeError(await session.step(tokens, 1, position), row(logits, step));
          ok(error <= TOLERANCE, `step ${step}: relative L2 error ${error}`);
          position += tokens.length;
          tokens = Int32Array.of(steps[step]);
        }
      });
    });
  }

  testWithLibrary(`tokens fed at once give the logits of tokens fed singly (${variant})`, async () => {
    await withDecoder(variant, async (decoder) => {
      const tokens = Int32Array.from({ length: 19 }, (_, i) => (i * 131) % V);
      using session = decoder.open(1);
      await session.setFeatures(features);
      const singly: Float32Array[] = [];
      for (const [position, token] of tokens.entries()) {
        singly.push(await session.step(Int32Array.of(token), 1, position));
      }
      const rows = [0, 7, 18];
      const atOnce = await session.step(tokens, 1, 0, rows);
      strictEqual(atOnce.length, rows.length * V);
      rows.forEach((at, i) => ok(relativeError(row(atOnce, i), singly[at]) <= TOLERANCE));
    });
  });

  testWithLibrary(`sequences do not touch each other, and reorder() copies them (${variant})`, async () => {
    await withDecoder(variant, async (decoder) => {
      const paths = [[5, 9, 200, 31], [5, 8, 77, 1000], [5, 2, 3, 4]];
      const alone: Float32Array[] = [];
      for (const path of paths) {
        using session = decoder.open(1);
        await session.setFeatures(features);
        alone.push(await session.step(Int32Array.from(path), 1, 0));
      }
      using session = decoder.open(3);
      await session.setFeatures(features);
      const together = await session.step(Int32Array.from(paths.flat()), 3, 0);
      alone.forEach((expected, i) => ok(relativeError(row(together, i), expected) <= TOLERANCE));

      const next = Int32Array.of(42, 42, 42);
      const before = await session.step(next, 3, 4);
      await session.reorder([2, 0, 0]);
      const after = await session.step(next, 3, 4);
      [2, 0, 0].forEach((source, i) => ok(relativeError(row(after, i), row(before, source)) <= TOLERANCE));
      ok(relativeError(row(after, 0), row(after, 1)) > 0.001, "the sequences differ");
    });
  });
}

testWithLibrary(
  "setFeatures() empties the cache: a session used before is as good as a new one",
  async () => {
    await withDecoder("", async (decoder) => {
      const tokens = Int32Array.of(1, 2, 3);
      using fresh = decoder.open(1);
      await fresh.setFeatures(features);
      const expected = await fresh.step(tokens, 1, 0);
      using used = decoder.open(1);
      await used.setFeatures(features.map((value) => -value));
      await used.step(Int32Array.of(9, 8, 7, 6, 5), 1, 0);
      await used.setFeatures(features);
      deepStrictEqual(await used.step(tokens, 1, 0), expected);
    });
  },
);

testWithLibrary("what lies behind `position` is overwritten", async () => {
  await withDecoder("", async (decoder) => {
    using session = decoder.open(1);
    await session.setFeatures(features);
    const expected = await session.step(Int32Array.of(1, 2, 3), 1, 0);
    await session.step(Int32Array.of(7, 7, 7, 7), 1, 1);
    ok(relativeError(await session.step(Int32Array.of(2, 3), 1, 1), expected) <= TOLERANCE);
  });
});

testWithLibrary("the context can be filled to its last token, not beyond", async () => {
  await withDecoder("", async (decoder) => {
    using session = decoder.open(1);
    await session.setFeatures(features);
    const most = dims.n_text_ctx;
    const full = await session.step(new Int32Array(most - 1), 1, 0);
    strictEqual(full.length, V);
    ok((await session.step(Int32Array.of(1), 1, most - 1)).every(Number.isFinite));
    await rejects(session.step(Int32Array.of(1), 1, most), { code: "E_OPTION", message: /position/ });
    await rejects(session.step(new Int32Array(2), 1, most - 1), { code: "E_OPTION", message: /position/ });
    await rejects(session.step(new Int32Array(most + 1), 1, 0), {
      code: "E_OPTION",
      message: /tokens per sequence/,
    });
  });
});

testWithLibrary("a session refuses what it has no room for, by name and bounds", async () => {
  await withDecoder("", async (decoder) => {
    for (const hypotheses of [0, 33, 1.5]) throws(() => decoder.open(hypotheses), { code: "E_OPTION" });
    using session = decoder.open(2);
    await rejects(session.setFeatures(new Float32Array(FEATURES - 1)), {
      code: "E_OPTION",
      message: /\[1500, 128\]/,
    });
    await session.setFeatures(features);
    const refused = async (call: Promise<unknown>, message: RegExp) =>
      await rejects(call, { code: "E_OPTION", message });
    await refused(
      session.step(Int32Array.of(V), 1, 0),
      /token must be a whole number from 0 to 2369, got 2370/,
    );
    await refused(session.step(Int32Array.of(-1), 1, 0), /token .* got -1/);
    await refused(session.step(Int32Array.of(1, 2, 3), 3, 0), /sequences .* from 1 to 2, got 3/);
    await refused(session.step(Int32Array.of(1, 2, 3), 2, 0), /tokens per sequence .* got 1\.5/);
    await refused(session.step(new Int32Array(0), 1, 0), /tokens per sequence .* got 0/);
    await refused(session.step(Int32Array.of(1), 1, -1), /position .* got -1/);
    await refused(session.step(Int32Array.of(1), 1, 0, [1]), /row .* from 0 to 0, got 1/);
    await refused(session.reorder([0, 2]), /source .* from 0 to 1, got 2/);
    await refused(session.reorder([]), /sources .* from 1 to 2, got 0/);
  });
});

testWithLibrary("a step that skips positions is refused by the library", async () => {
  await withDecoder("", async (decoder) => {
    using session = decoder.open(1);
    await session.setFeatures(features);
    await rejects(
      session.step(Int32Array.of(1), 1, 5),
      (error: SottoError) => /sotto_cpu_sessions_step/.test(error.message),
    );
  });
});

testWithLibrary("steps asked for at once run in order; a session outlives its decoder", async () => {
  using device = CpuDevice.open({ library: LIBRARY_PATH, threads: 2 });
  const decoder = await device.loadDecoder(dims, demo.weights);
  const session = decoder.open(1);
  await session.setFeatures(features);
  const expected = await session.step(Int32Array.of(1, 2, 3), 1, 0);
  const [, , last] = await Promise.all(
    [1, 2, 3].map((token, at) => session.step(Int32Array.of(token), 1, at)),
  );
  ok(relativeError(last, expected) <= TOLERANCE);
  decoder[Symbol.dispose]();
  throws(() => decoder.open(1), { code: "E_BUSY" });
  const running = session.step(Int32Array.of(4), 1, 3);
  throws(() => session[Symbol.dispose](), { code: "E_BUSY" });
  strictEqual((await running).length, V);
  session[Symbol.dispose]();
  await rejects(session.step(Int32Array.of(4), 1, 3), { code: "E_BUSY" });
});

/**
 * INT8 weights against openai-whisper's F32, relative L2 of logits; measured 0.004 to 0.035. The demo model is 128 wide:
 * the errors of so few products hardly cancel each other.
 */
const INT8_TOLERANCE = 0.06;

for (const clip of ["01_command", "06_german", "08_commands", "09_long"]) {
  testWithData(`the decoder in int8 chooses openai-whisper's tokens of ${clip}`, [
    `parity/${clip}.safetensors`,
  ], async (path) => {
    const { encoder, prefix, steps, logits } = await readGolden(path);
    for (const variant of variants()) {
      using device = CpuDevice.open({ library: LIBRARY_PATH, variant, threads: 2 });
      using decoder = await device.loadDecoder(dims, demo.weights, { precision: "int8" });
      match(decoder.arithmetic, /^int8 weights, int16 activations, f32 sums \(/);
      using session = decoder.open(1);
      await session.setFeatures(encoder);
      let tokens = Int32Array.from(prefix);
      let position = 0;
      for (let step = 0; step < 8; step++) {
        const found = await session.step(tokens, 1, position);
        const error = relativeError(found, row(logits, step));
        ok(error <= INT8_TOLERANCE, `${variant}, step ${step}: relative L2 error ${error}`);
        strictEqual(best(found), best(row(logits, step)), `${variant}, step ${step}`);
        position += tokens.length;
        tokens = Int32Array.of(steps[step]);
      }
    }
  });
}

const best = (logits: Float32Array) => logits.indexOf(Math.max(...logits));

Deno.test("decoderArithmetic() names the types that matrices are kept in", () => {
  const tensors = (...dtypes: StoredDtype[]) =>
    dtypes.map((dtype) => ({ dtype, shape: [2, 2] }) as unknown as StoredTensor);
  strictEqual(decoderArithmetic(tensors("F16", "Q5_0"), "stored", "avx2"), "f16 weights, f32 sums (avx2)");
  strictEqual(decoderArithmetic(tensors("F32", "BF16"), "stored", "ref"), "f32 weights, f32 sums (ref)");
  match(decoderArithmetic(tensors("F32", "Q8_0"), "stored", "ref"), /^f16 and f32 weights/);
});

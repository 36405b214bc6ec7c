import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { CpuDevice } from "../../kernels/cpu/device.ts";
import type { DecoderPrecision, Device, LoadedDecoder, SessionStep } from "../../kernels/device.ts";
import { openPortableDevice } from "../../kernels/portable/device.ts";
import { openCheckpoint } from "../../model/open.ts";
import { LIBRARY_PATH, testWithLibrary, variants } from "../support/cpu_library.ts";
import { PROJECT_ROOT } from "../support/shared_data.ts";

const demo = await openCheckpoint(new URL("models/demo", PROJECT_ROOT).pathname);
const dims = demo.dims.decoder!;

const featuresOf = (window: number) =>
  Float32Array.from(
    { length: dims.n_audio_ctx * dims.n_text_state },
    (_, i) => Math.sin(i * (0.7 + window)) + Math.cos(i * 0.013),
  );

/** How many tokens each window gets in each step, and for how many sequences; 0: it sits out. */
const STEPS = [[5, 3, 0], [1, 1, 4], [1, 0, 1], [2, 1, 1]];
const WIDTHS = [1, 2, 1];

/** Takes the steps with each session alone, and with those of another set together. */
async function compareSteps(decoder: LoadedDecoder): Promise<void> {
  using stack = new DisposableStack();
  const open = async (window: number) => {
    const session = stack.use(decoder.open(WIDTHS[window]));
    await session.setFeatures(featuresOf(window));
    return session;
  };
  const alone = await Promise.all(WIDTHS.map((_, window) => open(window)));
  const shared = await Promise.all(WIDTHS.map((_, window) => open(window)));
  const positions = WIDTHS.map(() => 0);
  for (const counts of STEPS) {
    const steps: SessionStep[] = [];
    const expected: Float32Array[] = [];
    for (const [window, count] of counts.entries()) {
      if (count === 0) continue;
      const sequences = WIDTHS[window];
      const tokens = Int32Array.from(
        { length: count * sequences },
        (_, i) => (i * 131 + window) % dims.n_vocab,
      );
      const position = positions[window];
      expected.push((await alone[window].step(tokens, sequences, position)).slice());
      steps.push({ session: shared[window], tokens, sequences, position });
      positions[window] += count;
    }
    deepStrictEqual((await decoder.stepTogether(steps)).map((logits) => logits.slice()), expected);
  }
}

async function withDevice(device: Device & Disposable, precision: DecoderPrecision): Promise<void> {
  using _ = device;
  using decoder = await device.loadDecoder(dims, demo.weights, { precision });
  await compareSteps(decoder);
}

Deno.test("stepTogether() gives each session what it gets alone (portable)", async () => {
  await withDevice(openPortableDevice(), "stored");
});

for (const variant of variants()) {
  for (const precision of ["stored", "int8"] as const) {
    testWithLibrary(
      `stepTogether() gives each session the bits it gets alone (${variant}, ${precision})`,
      async () => {
        await withDevice(CpuDevice.open({ library: LIBRARY_PATH, variant, threads: 2 }), precision);
      },
    );
  }
}

testWithLibrary("stepTogether() refuses sessions of another decoder, none, and one twice", async () => {
  using device = CpuDevice.open({ library: LIBRARY_PATH, threads: 2 });
  using decoder = await device.loadDecoder(dims, demo.weights);
  using other = await device.loadDecoder(dims, demo.weights);
  using session = decoder.open(1);
  using foreign = other.open(1);
  await session.setFeatures(featuresOf(0));
  await foreign.setFeatures(featuresOf(0));
  const step = (of: typeof session): SessionStep => ({
    session: of,
    tokens: Int32Array.of(1),
    sequences: 1,
    position: 0,
  });
  await rejects(decoder.stepTogether([]), { code: "E_OPTION", message: /sessions .* got 0/ });
  await rejects(decoder.stepTogether([step(session), step(foreign)]), /one decoder: session 1 is not/);
  await rejects(decoder.stepTogether([step(session), step(session)]), { code: "E_OPTION", message: /twice/ });
  using portable = await openPortableDevice().loadDecoder(dims, demo.weights);
  using stranger = portable.open(1);
  await rejects(decoder.stepTogether([step(stranger)]), { code: "E_OPTION", message: /not this decoder's/ });
  strictEqual((await session.step(Int32Array.of(1), 1, 0)).length, dims.n_vocab);
});

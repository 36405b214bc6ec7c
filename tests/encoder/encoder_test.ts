import { deepStrictEqual, ok, rejects, strictEqual, throws } from "node:assert/strict";
import type { SottoError } from "../../errors.ts";
import { Encoder, type EncoderOptions, type Precision } from "../../encoder/mod.ts";
import { openDevice } from "../../kernels/select.ts";
import { openCheckpoint } from "../../model/open.ts";
import { LIBRARY_PATH, testWithLibrary, variants } from "../support/cpu_library.ts";
import { readGolden, relativeError } from "../support/golden.ts";
import { PROJECT_ROOT, testWithData } from "../support/shared_data.ts";

const DEMO = new URL("models/demo", PROJECT_ROOT);

/** What the best 32-bit sums leave of agreement with PyTorch's; measured 3e-6 to 1.2e-5. */
const GOLDEN_TOLERANCE = 1e-4;

/** Every way the CPU library can compute here; the portable device has tests of its own. */
const WAYS: readonly (readonly [string, EncoderOptions])[] = variants().map((variant) =>
  [`cpu, ${variant}`, {
    device: "cpu",
    library: LIBRARY_PATH,
    variant,
    threads: 2,
    precision: "f32",
  }] as const
);

for (const [way, options] of WAYS) {
  const golden = ["whisper-base-encoder", "golden/jfk.safetensors"];
  testWithData(
    `Encoder gives PyTorch's features of jfk.wav with base (${way})`,
    golden,
    async (model, results) => {
      const { log_mel, encoder_output } = await readGolden(results);
      using encoder = await Encoder.load(model, options);
      const error = relativeError(await encoder.encode(log_mel), encoder_output);
      ok(error <= GOLDEN_TOLERANCE, `relative L2 error ${error}`);
    },
  );

  for (const clip of ["01_command", "06_german", "08_commands", "09_long"]) {
    testWithData(`Encoder gives openai-whisper's features of ${clip} (${way})`, [
      `parity/${clip}.safetensors`,
    ], async (path) => {
      const { mel, encoder: expected } = await readGolden(path);
      using encoder = await Encoder.load(DEMO, options);
      const error = relativeError(await encoder.encode(mel), expected);
      ok(error <= GOLDEN_TOLERANCE, `relative L2 error ${error}`);
    });
  }
}

const QUIET = new Float32Array(80 * 3000);

testWithLibrary("Encoder answers calls made at once with what each gives alone", async () => {
  using encoder = await Encoder.load(DEMO, { device: "cpu", library: LIBRARY_PATH, threads: 2 });
  const windows = [0, 0.5, 1].map((value) => new Float32Array(80 * 3000).fill(value));
  const together = await Promise.all(
    [...windows, ...windows].map((data) => encoder.encode({ data, bands: 80, frames: 3000 })),
  );
  for (const [i, output] of together.entries()) {
    deepStrictEqual(output, await encoder.encode(windows[i % windows.length]));
  }
});

testWithLibrary("Encoder leaves the event loop free while it runs", async () => {
  using encoder = await Encoder.load(DEMO, {
    device: "cpu",
    library: LIBRARY_PATH,
    threads: 1,
    variant: "ref",
  });
  let turns = 0;
  let done = false;
  const running = encoder.encode(QUIET).finally(() => done = true);
  while (!done) {
    await new Promise((resolve) => setTimeout(resolve));
    turns++;
  }
  await running;
  ok(turns > 5, `${turns} turns of the event loop`);
});

testWithLibrary("Encoder frees the device it opened, and leaves one that it was given", async () => {
  const options = { library: LIBRARY_PATH, threads: 1 };
  const owner = await Encoder.load(DEMO, { device: "cpu", ...options });
  owner[Symbol.dispose]();
  await rejects(
    owner.device.logMelPower(new Float32Array(400), 1, { bands: 1, weights: new Float32Array(201) }),
    {
      code: "E_BUSY",
    },
  );
  using device = await openDevice("cpu", options);
  const guest = await Encoder.load(DEMO, { device });
  guest[Symbol.dispose]();
  using next = await Encoder.load(DEMO, { device });
  strictEqual((await next.encode(QUIET)).length, 1500 * 128);
});

testWithLibrary("Encoder refuses disposal during a call; `await using` waits", async () => {
  const encoder = await Encoder.load(DEMO, { device: "cpu", library: LIBRARY_PATH, threads: 1 });
  const running = encoder.encode(QUIET);
  throws(() => encoder[Symbol.dispose](), (error: SottoError) => error.code === "E_BUSY");
  await encoder[Symbol.asyncDispose]();
  strictEqual((await running).length, 1500 * 128);
  await rejects(encoder.encode(QUIET), { code: "E_BUSY" });
});

Deno.test("Encoder refuses log-mels of another shape", async () => {
  using encoder = await Encoder.load(DEMO, { device: "portable" });
  await rejects(encoder.encode(new Float32Array(80 * 2999)), {
    code: "E_OPTION",
    message: /must be \[80, 3000\], got 239920/,
  });
  const wide = { data: new Float32Array(80 * 3000), bands: 128, frames: 1875 };
  await rejects(encoder.encode(wide), {
    code: "E_OPTION",
    message: /must be \[80, 3000\], got \[128, 1875\]/,
  });
});

Deno.test("Encoder.load() refuses precisions there are not, and folders without a model", async () => {
  await rejects(Encoder.load(DEMO, { device: "portable", precision: "int4" as Precision }), {
    code: "E_OPTION",
    message: 'Cannot compute in "int4": precision must be one of auto, f32, half, int8',
  });
  await rejects(Encoder.load("/nowhere/model", { device: "portable" }), { code: "E_MODEL_NOT_FOUND" });
});

Deno.test("Encoder.load() takes a path, a URL, a checkpoint, or dimensions and weights", async () => {
  const checkpoint = await openCheckpoint(DEMO.pathname);
  const bare = { dims: checkpoint.dims.encoder, weights: checkpoint.weights };
  for (const source of [DEMO, DEMO.pathname, checkpoint, bare]) {
    using encoder = await Encoder.load(source, { device: "portable" });
    deepStrictEqual(encoder.dims, bare.dims);
    strictEqual(encoder.device.name, "portable");
  }
});

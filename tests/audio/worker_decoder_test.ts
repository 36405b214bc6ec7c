import { ok, strictEqual } from "node:assert/strict";
import { decoderWorker } from "../../audio/decoder_worker.ts";
import { DECODERS, WorkerDecoder } from "../../audio/worker_decoder.ts";
import { refused } from "./_refused.ts";

const TARGET = { name: "a.mp3", sampleRate: 16_000 };
const SOUND = Uint8Array.of(1, 2, 3);

function context(timeoutSeconds = 20, signal = new AbortController().signal) {
  return { warn: () => {}, signal, timeoutSeconds };
}

/** A module that exports a decoder class with that method. */
function decoderModule(decode: string) {
  const text = `export class D { ready = Promise.resolve(); decode(bytes) { ${decode} } }`;
  return { specifier: `data:text/javascript,${encodeURIComponent(text)}`, exportName: "D" };
}

const decodedAs = (fields: string) =>
  decoderModule(
    `return { channelData: [new Float32Array(2)], samplesDecoded: 2, sampleRate: 16000, errors: [], ${fields} };`,
  );

Deno.test("WorkerDecoder mixes channels to their mean", async () => {
  const module = decodedAs("channelData: [Float32Array.of(1, 0), Float32Array.of(0, 0.5)]");
  using decoder = await WorkerDecoder.load(module, TARGET, context());
  const { mono, complaint } = await decoder.decode(SOUND);
  strictEqual(`${[...mono]}`, "0.5,0.25");
  strictEqual(complaint, null);
  strictEqual((await decoder.flush()).mono.length, 0);
});

const LIES: [string, string, RegExp][] = [
  ["35,952 channels", "channelData: Array(35952).fill(new Float32Array(2))", /35952 channels/],
  ["a sample rate of 0", "sampleRate: 0", /rate must stay 16000 Hz: got 0/],
  ["another sample rate", "sampleRate: 44100", /got 44100/],
  ["more samples than it gives", "samplesDecoded: 1e9", /unequal length/],
  ["nothing at all", "channelData: null", /null/],
];

for (const [what, fields, message] of LIES) {
  Deno.test(`WorkerDecoder refuses a decoder that claims ${what}`, async () => {
    using decoder = await WorkerDecoder.load(decodedAs(fields), TARGET, context());
    await refused("E_AUDIO_DECODE", message, () => decoder.decode(SOUND));
  });
}

Deno.test("WorkerDecoder ends a decoder that hangs, while it loads and while it decodes", async () => {
  const hanging = decoderModule("for (;;);");
  const patience = context();
  using decoder = await WorkerDecoder.load(hanging, TARGET, patience);
  patience.timeoutSeconds = 0.5; // not while it loads, which may take longer on a busy machine
  const error = await refused(
    "E_AUDIO_TIMEOUT",
    /a\.mp3 because its decoder did not answer for 0\.5 s/,
    () => decoder.decode(SOUND),
  );
  strictEqual(error.exitStatus, 66);
  const loading = { specifier: "data:text/javascript,for(;;);", exportName: "D" };
  await refused("E_AUDIO_TIMEOUT", /0\.5 s/, () => WorkerDecoder.load(loading, TARGET, context(0.5)));
});

Deno.test("WorkerDecoder ends a decoder when the caller aborts", async () => {
  const abort = new AbortController();
  using decoder = await WorkerDecoder.load(decoderModule("for (;;);"), TARGET, context(20, abort.signal));
  const decoding = refused("E_ABORTED", /a\.mp3 was stopped by the caller/, () => decoder.decode(SOUND));
  abort.abort();
  await decoding;
  await refused(
    "E_ABORTED",
    /stopped/,
    () => WorkerDecoder.load(DECODERS.mpeg, TARGET, context(20, abort.signal)),
  );
});

Deno.test("WorkerDecoder reports a decoder that throws, and one that cannot be loaded", async () => {
  using decoder = await WorkerDecoder.load(
    decoderModule(`throw new Error("memory access out of bounds")`),
    TARGET,
    context(),
  );
  await refused("E_AUDIO_DECODE", /a\.mp3 because memory access out of bounds/, () => decoder.decode(SOUND));
  const missing = { specifier: "data:text/javascript,syntax error", exportName: "D" };
  const error = await refused(
    "E_DOWNLOAD",
    /Cannot load the decoder data:/,
    () => WorkerDecoder.load(missing, TARGET, context()),
  );
  ok(error.hint.includes("deno cache"));
});

Deno.test("WorkerDecoder reports a decoder's complaint, and keeps it off the console", async () => {
  const module = decoderModule(`console.error("noise"); return {
    channelData: [new Float32Array(2)], samplesDecoded: 2, sampleRate: 16000, errors: [{ message: "bad frame" }] };`);
  using decoder = await WorkerDecoder.load(module, TARGET, context());
  strictEqual((await decoder.decode(SOUND)).complaint, "bad frame");
});

Deno.test("decoderWorker() names nothing outside itself", () => {
  // It runs from its own text, where this module's other names do not exist.
  const text = String(decoderWorker);
  for (const name of ["startWorker", "SottoError", "DECODERS", "undecodable"]) ok(!text.includes(name), name);
});

Deno.test("DECODERS pins exact versions", () => {
  for (const { specifier } of Object.values(DECODERS)) {
    ok(/^npm:.+@\d+\.\d+\.\d+$/.test(specifier), specifier);
  }
});

import assert from "node:assert/strict";
import { join } from "node:path";
import { type ErrorCode, SottoError } from "../../errors.ts";
import { loadModel } from "../../mod.ts";
import { resolveVadParameters, SileroDetector, speechSpans } from "../../voice/mod.ts";
import {
  assertDone,
  assertRefused,
  DEMO_MODEL,
  denoCommand,
  inFolder,
  permissionsFor,
  recording,
  resultOf,
  runCommand,
} from "../support/command.ts";
import { onnxRuntimeLibrary } from "../../voice/onnx_runtime.ts";
import { PROJECT_ROOT } from "../support/shared_data.ts";
import { testWithOnnxRuntime } from "./_onnx_runtime.ts";
import { bundled, joined, silence } from "./_recordings.ts";
import { sileroStandIn } from "./_silero_stand_in.ts";

const coded = (code: ErrorCode, message: RegExp) => (error: unknown) =>
  error instanceof SottoError && error.code === code && message.test(error.message);

/** Writes a network into a folder of its own. */
const withModel = (bytes: Uint8Array, body: (model: string) => Promise<void>): Promise<void> =>
  inFolder(async (folder) => {
    const model = join(folder, "vad.onnx");
    await Deno.writeFile(model, bytes);
    await body(model);
  });

/** Probabilities of samples that come in pieces of `size`. */
async function heard(model: string, samples: Float32Array, size: number): Promise<Uint8Array> {
  await using detector = await SileroDetector.open(model);
  for (let at = 0; at < samples.length; at += size) await detector.push(samples.subarray(at, at + size));
  return await detector.finish();
}

/** Frames that are likely speech, as [first, end). */
const likely = (probabilities: Uint8Array): number[] => [
  probabilities.findIndex((byte) => byte > 127),
  probabilities.findLastIndex((byte) => byte > 127) + 1,
];

testWithOnnxRuntime(
  "SileroDetector shows each chunk with 64 samples before it, however the samples come",
  () =>
    withModel(sileroStandIn(), async (model) => {
      const samples = new Float32Array(10_000);
      samples[512 * 5 + 440] = 1; // within the chunk 5 alone: frames 16 to 18
      const whole = await heard(model, samples, 10_000);
      assert.equal(whole.length, 62); // whole frames
      assert.deepEqual(likely(whole), [16, 19]);
      for (const size of [1, 333, 512, 4000]) assert.deepEqual(await heard(model, samples, size), whole);
      samples[512 * 5 + 448] = 1; // seen before chunk 6 too: up to frame 21
      assert.deepEqual(likely(await heard(model, samples, 10_000)), [16, 22]);
      assert.deepEqual(await heard(model, new Float32Array(159), 100), new Uint8Array());
    }),
);

testWithOnnxRuntime(
  "SileroDetector hands the state of a chunk on to the next, and pads the last one",
  () =>
    withModel(sileroStandIn({ remembers: true }), async (model) => {
      const samples = new Float32Array(512 * 7 + 160);
      samples[512 * 5 + 10] = -1;
      assert.deepEqual(likely(await heard(model, samples, 1000)), [16, 22]);
      samples[512 * 7 + 159] = 1;
      assert.equal((await heard(model, samples, 1000)).at(-1), 255);
    }),
);

testWithOnnxRuntime("SileroDetector refuses what is not Silero's network", () =>
  inFolder(async (folder) => {
    const path = join(folder, "vad.onnx");
    const refuses = async (code: ErrorCode, message: RegExp) =>
      await assert.rejects(SileroDetector.open(path), coded(code, message));
    await refuses("E_INPUT", /vad\.onnx for voice activity: there is no such file$/);
    await assert.rejects(SileroDetector.open(folder), coded("E_INPUT", /for voice activity: Is a directory/));
    for (
      const bytes of [
        new Uint8Array(),
        new TextEncoder().encode("no network"),
        sileroStandIn().subarray(0, 99),
      ]
    ) {
      await Deno.writeFile(path, bytes);
      await refuses("E_MODEL_FORMAT", /^Cannot use .*vad\.onnx for voice activity: \S/);
    }
    await Deno.writeFile(path, sileroStandIn({ names: ["input", "h", "output", "hn"] }));
    await refuses("E_MODEL_MISMATCH", /it must have state and stateN; got input, h, output, hn$/);
  }));

testWithOnnxRuntime(
  "transcribe() with vadModel leaves out what that network takes for silence",
  () =>
    withModel(sileroStandIn({ loud: 0.02 }), async (model) => {
      using whisper = await loadModel(DEMO_MODEL, { device: "auto", onWarning: () => {} });
      const samples = joined(silence(20), await bundled("01_command"));
      const { text, segments, run } = await whisper.transcribe(samples, {
        language: "en",
        temperature: 0,
        vadFilter: true,
        vadModel: model,
        vadParameters: { speechPadMs: 500, minSpeechDurationMs: 0 },
      });
      assert.equal(text, " The train to Paris leaves at three twenty-four from platform twenty-four.");
      assert(Math.abs(segments[0].start - 20.4) < 1, `starts at ${segments[0].start}`);
      assert.equal(run.windows, 1);
      await assert.rejects(
        whisper.transcribe(samples, { vadModel: model }),
        coded("E_OPTION", /vadModel needs vadFilter or batchSize/),
      );
    }),
);

testWithOnnxRuntime(
  "transcribe --vad_model needs what deno task permissions prints, and says what is missing",
  () =>
    withModel(sileroStandIn(), async (model) => {
      const input = recording("11_no_speech");
      const args = ["--model", DEMO_MODEL, "--vad_filter", "--vad_model", model, input];
      const { read = [], ffi = [] } = permissionsFor([input, model]);
      const library = await onnxRuntimeLibrary();
      const script = new URL("cli/permissions.ts", PROJECT_ROOT).pathname;
      const printed = await resultOf(denoCommand(["run", "-A", "--no-check", script, "--", ...args]).spawn());
      assert.match(printed.stdout, new RegExp(`--allow-ffi=\\S*${RegExp.escape(library)}`));
      assert.match(printed.stdout, new RegExp(`--allow-read=\\S*${RegExp.escape(model)}`));
      assertDone(await runCommand(args, { permissions: { read, ffi: [...ffi, library] } }));
      const without = await runCommand(args, { permissions: { read, ffi } });
      assertRefused(without, "E_PERMISSION", new RegExp(`--allow-ffi=${RegExp.escape(library)}`));
      const unread = await runCommand(args, {
        permissions: { read: read.filter((path) => path !== model), ffi: [...ffi, library] },
      });
      assertRefused(unread, "E_PERMISSION", new RegExp(`--allow-read=${RegExp.escape(model)}`));
      const alone = await runCommand(["--model", DEMO_MODEL, "--vad_model", model, input], {
        permissions: { read },
      });
      assertRefused(alone, "E_OPTION", /--vad_model needs voice activity or batches/);
    }),
);

/** What get_speech_timestamps of silero-vad 6.2.3 finds, shortest silence 2 s and padding 0.4 s, in seconds. */
const SILERO_SPANS: Readonly<Record<string, readonly (readonly [start: number, end: number])[]>> = {
  "01_command": [[0.02, 4.99]],
  "06_german": [[0.05, 3.57]],
  "08_commands": [[0.02, 22.34]],
  "09_long": [[0.02, 30.86], [36.05, 78.71]],
  "11_no_speech": [],
};

const SILERO = Deno.env.get("SILERO_VAD_MODEL");
if (!SILERO) console.log("skipped: Silero's own network (SILERO_VAD_MODEL does not name silero_vad.onnx)");
if (SILERO) {
  testWithOnnxRuntime(
    "SileroDetector with Silero's network finds the speech that its own package finds",
    async () => {
      for (const [name, spans] of Object.entries(SILERO_SPANS)) {
        const found = speechSpans(await heard(SILERO, await bundled(name), 80_000), resolveVadParameters());
        assert.equal(found.length, spans.length, name);
        for (const [i, { start, end }] of found.entries()) {
          assert(Math.abs(start / 100 - spans[i][0]) < 0.1, `${name}: ${i} starts at ${start / 100}`);
          assert(Math.abs(end / 100 - spans[i][1]) < 0.1, `${name}: ${i} ends at ${end / 100}`);
        }
      }
    },
  );
}

// mod.ts from the file to the result, against openai-whisper's transcribe() of the same file.

import assert from "node:assert/strict";
import { loadModel, type Segment, type TranscriptionOptions } from "../../mod.ts";
import { assertSameTranscript } from "../decoder/_golden_transcript.ts";
import { PROJECT_ROOT, testWithData } from "../support/shared_data.ts";

const DEMO = new URL("models/demo/", PROJECT_ROOT);

const RUNS: Readonly<Record<string, TranscriptionOptions>> = {
  previous_text: {},
  no_previous_text: { conditionOnPreviousText: false },
  translate: { task: "translate" },
};

for (const clip of ["01_command", "06_german", "08_commands", "09_long"]) {
  testWithData(`transcribe() reads ${clip} as openai-whisper does`, [`parity/${clip}.json`], async (path) => {
    const golden = JSON.parse(await Deno.readTextFile(path));
    using model = await loadModel(DEMO, { precision: "f32" });
    const audio = new URL(`audio/${clip}.wav`, DEMO);
    for (const [run, options] of Object.entries(RUNS)) {
      if (!golden.transcribe[run]) continue;
      const transcript = await model.transcribe(audio, { ...options, language: golden.language });
      assertSameTranscript(transcript, golden.transcribe[run].result);
    }

    const detected = await model.detectLanguage(audio);
    assert.equal(detected.language, golden.language);
    for (const [code, chance] of Object.entries<number>(golden.language_probability)) {
      assert(Math.abs(detected.probabilities[code] - chance) < 1e-3, code);
    }
  });
}

Deno.test("segments() yields what transcribe() returns, and the transcript at its end", async () => {
  using model = await loadModel(DEMO);
  const audio = new URL("audio/08_commands.wav", DEMO);
  const work = model.segments(audio, { language: "en" });
  const yielded: Segment[] = [];
  let step = await work.next();
  for (; !step.done; step = await work.next()) yielded.push(step.value);
  const { run, ...transcript } = step.value;
  const { run: otherRun, ...other } = await model.transcribe(audio, { language: "en" });
  assert.deepEqual(transcript, other);
  assert.deepEqual(yielded, transcript.segments);
  assert.deepEqual(JSON.parse(JSON.stringify(transcript)), transcript);
  assert.equal(run.device, otherRun.device);
  assert.equal(run.windows, 1);
  assert.equal(run.isComplete, true);
  const { seconds } = run;
  assert(Math.abs(seconds.mel + seconds.encoder + seconds.decoder - seconds.total) < 1e-9);
  assert(Math.abs(seconds.audio - 22.34) < 0.01);
});

Deno.test("transcribe() ends after the window in progress when it is stopped, and at once when it is aborted", async () => {
  using model = await loadModel(DEMO);
  const audio = new URL("audio/09_long.wav", DEMO);
  const whole = await model.transcribe(audio, { conditionOnPreviousText: false });

  const stop = new AbortController();
  const stopped = await model.transcribe(audio, {
    conditionOnPreviousText: false,
    stop: stop.signal,
    onProgress: () => stop.abort(),
  });
  assert.equal(stopped.run.isComplete, false);
  const [{ seek }] = whole.segments;
  assert.deepEqual(stopped.segments, whole.segments.filter((segment) => segment.seek === seek));

  const abort = new AbortController();
  await assert.rejects(
    model.transcribe(audio, { signal: abort.signal, onProgress: () => abort.abort() }),
    { code: "E_ABORTED" },
  );
  assert.deepEqual(
    (await model.transcribe(audio, { conditionOnPreviousText: false })).segments,
    whole.segments,
  );
});

Deno.test("transcriptions that run at the same time on one model do not disturb each other", async () => {
  using model = await loadModel(DEMO);
  const clips = ["01_command", "06_german", "08_commands"].map((clip) => new URL(`audio/${clip}.wav`, DEMO));
  const alone: string[] = [];
  for (const clip of clips) alone.push((await model.transcribe(clip)).text);
  const together = await Promise.all(clips.map((clip) => model.transcribe(clip)));
  assert.deepEqual(together.map(({ text }) => text), alone);
});

Deno.test({
  name: "a transcript's report repeats why another device ran than the best",
  permissions: { read: true, ffi: false },
  fn: async () => {
    const told: string[] = [];
    using model = await loadModel(DEMO, { onWarning: ({ code }) => told.push(code) });
    const { run } = await model.transcribe(new Float32Array(16_000));
    assert.equal(run.device, "portable");
    assert.deepEqual(run.warnings.map(({ code }) => code), ["W_DEVICE"]);
    assert.deepEqual(told, ["W_DEVICE"]);
  },
});

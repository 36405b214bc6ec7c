// What a caller may give and hold: every kind of audio, signals, iterators, disposal, plain results.

import assert from "node:assert/strict";
import { languageName, loadAudio, loadModel, SottoError, type Transcript } from "../../mod.ts";
import { PROJECT_ROOT } from "../support/shared_data.ts";

const DEMO = new URL("models/demo/", PROJECT_ROOT);
const COMMAND = new URL("audio/01_command.wav", DEMO);
const LONG = new URL("audio/09_long.wav", DEMO);
const isCode = (code: string) => (error: unknown) => error instanceof SottoError && error.code === code;

Deno.test("transcribe() reads the same text from a path, URL, bytes, blob, file, stream and samples", async () => {
  await using model = await loadModel(DEMO);
  const bytes = await Deno.readFile(COMMAND);
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => new Response(bytes),
  );
  const inputs = {
    path: COMMAND.pathname,
    "file URL": COMMAND,
    "http URL": `http://127.0.0.1:${server.addr.port}/`,
    Uint8Array: bytes,
    ArrayBuffer: bytes.buffer,
    Blob: new Blob([bytes]),
    File: new File([bytes], "command.wav"),
    ReadableStream: (await Deno.open(COMMAND)).readable,
    Float32Array: await loadAudio(COMMAND),
  };
  const { text } = await model.transcribe(COMMAND);
  for (const [kind, input] of Object.entries(inputs)) {
    assert.equal((await model.transcribe(input)).text, text, kind);
  }
});

Deno.test("progress() yields once a window, with its segments, and returns the transcript", async () => {
  using model = await loadModel(DEMO);
  const told: number[] = [];
  const work = model.progress(LONG, {
    language: "en",
    onProgress: ({ framesDone }) => told.push(framesDone),
  });
  const segments = [];
  const fractions: number[] = [];
  const frames: number[] = [];
  let step = await work.next();
  for (; !step.done; step = await work.next()) {
    segments.push(...step.value.segments);
    fractions.push(step.value.fraction);
    frames.push(step.value.framesDone);
  }
  assert.ok(fractions.length >= 3, "the recording has several windows");
  assert.deepEqual(fractions, fractions.toSorted((a, b) => a - b));
  assert.equal(fractions.at(-1), 1);
  assert.deepEqual(frames, told);
  assert.deepEqual(segments, step.value.segments);
});

Deno.test("progress() ends the work when its loop is left, and throws what transcribe() throws", async () => {
  using model = await loadModel(DEMO);
  for await (const { fraction } of model.progress(LONG, { language: "en" })) {
    assert.ok(fraction < 1);
    break;
  }
  await assert.rejects(async () => {
    for await (const _ of model.progress("no such file.wav"));
  }, isCode("E_INPUT"));
});

Deno.test("A signal ends loading, reading, language detection and transcription with E_ABORTED", async () => {
  const signal = AbortSignal.abort();
  await assert.rejects(loadModel(DEMO, { signal }), isCode("E_ABORTED"));
  using model = await loadModel(DEMO);
  await assert.rejects(model.logMel(COMMAND, { signal }), isCode("E_ABORTED"));
  await assert.rejects(model.detectLanguage(COMMAND, { signal }), isCode("E_ABORTED"));
  await assert.rejects(model.transcribe(COMMAND, { signal }), isCode("E_ABORTED"));
  await assert.rejects(loadAudio(COMMAND, { signal }), isCode("E_ABORTED"));
  const mel = await model.logMel(COMMAND);
  await assert.rejects(model.decode(mel, { signal }), isCode("E_ABORTED"));
});

Deno.test("await using waits for calls that were made", async () => {
  let transcribing: Promise<Transcript>;
  {
    await using model = await loadModel(DEMO);
    transcribing = model.transcribe(COMMAND);
  }
  assert.match((await transcribing).text, /Paris/);
});

Deno.test("Results survive JSON and structuredClone unchanged", async () => {
  using model = await loadModel(DEMO);
  const transcript = await model.transcribe(COMMAND);
  assert.deepEqual(JSON.parse(JSON.stringify(transcript)), transcript);
  assert.deepEqual(structuredClone(transcript), transcript);
  const mel = await model.logMel(COMMAND);
  assert.deepEqual(structuredClone(mel), mel);
  assert.deepEqual(Object.keys(mel), ["data", "bands", "frames"]);
});

Deno.test("languageName() says a language in any language", () => {
  assert.equal(languageName("de"), "German");
  assert.equal(languageName("German", "de"), "Deutsch");
  assert.equal(languageName("fr", "ja"), "フランス語");
  assert.equal(languageName("jw"), "Javanese");
  assert.throws(() => languageName("klingon"), isCode("E_OPTION"));
  assert.throws(() => languageName("de", "no tag"), isCode("E_OPTION"));
});

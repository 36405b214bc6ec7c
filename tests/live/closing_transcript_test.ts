import assert from "node:assert/strict";
import { SottoError } from "../../errors.ts";
import type { LiveOptions, TranscriptionOptions, WhisperModel } from "../../mod.ts";
import { testWithLibrary } from "../support/cpu_library.ts";
import { bundled, cut, joined, silence } from "../voice/_recordings.ts";
import { live, load } from "./_live.ts";

/** Both transcripts of the samples; readings between are rare, for captions do not matter here. */
async function both(
  model: WhisperModel,
  samples: Float32Array<ArrayBuffer>,
  options: TranscriptionOptions & Pick<LiveOptions, "interval"> & { readonly chunk?: number },
) {
  const { interval = 2, chunk = 0.5, ...ofFile } = options;
  const { text, segments, language } = await model.transcribe(samples, ofFile);
  const { transcript } = await live(model, samples, { ...ofFile, interval, chunk });
  return { file: { text, segments, language }, live: transcript };
}

async function assertSame(...task: Parameters<typeof both>): Promise<void> {
  const { file, live: { text, segments, language } } = await both(...task);
  assert.deepEqual({ text, segments, language }, file);
}

Deno.test("the closing transcript of a short stream is the file's, times and language too", async () => {
  using model = await load();
  await assertSame(model, await bundled("01_command"), { wordTimestamps: true });
  await assertSame(model, await bundled("06_german"), { chunk: 0.1 });
  await assertSame(model, joined(silence(0.3)), {});
  await assertSame(model, silence(0), {});
});

testWithLibrary(
  "the closing transcript of several windows is the file's, whatever comes at once",
  async () => {
    using model = await load();
    const long = await bundled("09_long");
    await assertSame(model, long, { language: "en", chunk: 0.1, interval: 4 });
    await assertSame(model, long, { chunk: 1, interval: 4, wordTimestamps: true, beamSize: 2 });
    await assertSame(model, long, {
      chunk: 30,
      interval: 10,
      conditionOnPreviousText: false,
      temperature: 0.4,
    });
  },
);

testWithLibrary(
  "the closing transcript is the file's where the end is louder than the beginning",
  async () => {
    using model = await load();
    const samples = await bundled("09_long");
    const louder = samples.map((sample, i) => i < 8e5 ? sample * 0.05 : sample);
    await assertSame(model, louder, { language: "en", interval: 4 });
  },
);

Deno.test("transcribeStream() without closing returns the captions", async () => {
  using model = await load();
  const command = cut(await bundled("01_command"), 0, 4.7);
  const { transcript } = await live(model, command, { language: "en", closing: false, interval: 2 });
  const { text, segments, captions, language } = transcript;
  assert.deepEqual({ text, segments }, captions);
  assert.equal(language, "en");
  assert.match(text, /^ The train to Paris/);
});

testWithLibrary(
  "transcribeStream() ends its work when it is left, and passes on that it was aborted",
  async () => {
    using model = await load(); // disposing of it would be refused during a call
    const long = await bundled("09_long");
    const source = async function* () {
      yield await Promise.resolve(long);
    };
    for await (const { heard } of model.transcribeStream(source(), { language: "en" })) if (heard > 1) break;
    const abort = new AbortController();
    const run = model.transcribeStream(source(), { language: "en", signal: abort.signal, interval: 10 });
    await run.next();
    abort.abort();
    await assert.rejects(
      async () => {
        while (!(await run.next()).done);
      },
      (error) => error instanceof SottoError && error.code === "E_ABORTED",
    );
  },
);

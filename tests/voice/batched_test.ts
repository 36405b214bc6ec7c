import assert from "node:assert/strict";
import { loadModel, type TranscriptionOptions, type WhisperModel, type WindowRecord } from "../../mod.ts";
import { SottoError } from "../../errors.ts";
import { cutAtPauses, packSpans } from "../../voice/mod.ts";
import { DEMO_MODEL } from "../support/command.ts";
import { HAS_LIBRARY, LIBRARY_PATH } from "../support/cpu_library.ts";
import { bundled, cut, joined, RATE, silence } from "./_recordings.ts";

const load = (): Promise<WhisperModel> =>
  loadModel(DEMO_MODEL, HAS_LIBRARY ? { library: LIBRARY_PATH, precision: "f32" } : { device: "portable" });

const PLAIN: TranscriptionOptions = { language: "en", temperature: 0 };
/** What tells the two sentences apart; the model now and then mistakes a word of the second. */
const SENTENCES = [/^ The train to Paris leaves at three twenty-four from platform/, / in the cellar\.$/];
const TURNS = HAS_LIBRARY ? 12 : 6;

async function recording(): Promise<{ samples: Float32Array<ArrayBuffer>; starts: readonly number[] }> {
  const clips = [await bundled("01_command"), cut(await bundled("08_commands"), 15.8, 18.5)];
  const spokenAfter = [0.4, 0.8];
  const parts: Float32Array[] = [];
  const starts: number[] = [];
  let at = 0;
  for (let i = 0; i < TURNS; i++) {
    for (const [j, clip] of [...clips, silence(i % 3)].entries()) {
      if (j < 2) starts.push(at / RATE + spokenAfter[j]);
      parts.push(clip);
      at += clip.length;
    }
  }
  return { samples: joined(...parts), starts };
}

Deno.test("transcribe() with batchSize writes every sentence once, in order and in its place", async () => {
  using model = await load();
  const { samples, starts } = await recording();
  for (const vadFilter of [false, true]) {
    for (const wordTimestamps of [false, true]) {
      const results = [];
      for (const batchSize of [1, 3]) {
        results.push(
          await model.transcribe(samples, { ...PLAIN, batchSize, vadFilter, wordTimestamps }),
        );
      }
      const [one, three] = results;
      assert.deepEqual(three.segments, one.segments, "the number in progress changes nothing");
      assert.equal(three.text, one.text);
      const about = `voice ${vadFilter}, words ${wordTimestamps}`;
      const spoken = one.segments.filter(({ text }) => text !== "");
      assert.equal(spoken.length, starts.length, about);
      for (const [i, { text }] of spoken.entries()) assert.match(text, SENTENCES[i % 2], about);
      for (const [i, { start, words = [] }] of spoken.entries()) {
        // The model is off by a second where it has no words to go by.
        assert(Math.abs(start - starts[i]) < 1.5, `${about}: sentence ${i} at ${start}, not ${starts[i]}`);
        assert(i === 0 || start >= spoken[i - 1].end - 1e-9, `${about}: ${i} begins before ${i - 1} ends`);
        for (const [j, word] of words.entries()) {
          assert(word.start >= (words[j - 1]?.end ?? 0) && word.end >= word.start);
        }
      }
      assert.deepEqual(one.segments.map(({ id }) => id), one.segments.map((_, i) => i));
      assert(one.run.isComplete);
    }
  }
});

Deno.test("transcribe() with batchSize goes on behind windows that were finished", async () => {
  using model = await load();
  const { samples } = await recording();
  const options = { ...PLAIN, batchSize: 2, vadFilter: true, wordTimestamps: true };
  const records: WindowRecord[] = [];
  const whole = await model.transcribe(samples, {
    ...options,
    onWindow: (record) => void records.push(record),
  });
  assert(records.length > 1);
  for (let done = 0; done <= records.length; done++) {
    const resumed = await model.transcribe(samples, { ...options, resumeFrom: records.slice(0, done) });
    assert.deepEqual(resumed.segments, whole.segments);
    assert.equal(resumed.text, whole.text);
  }
});

Deno.test("transcribe() refuses batches that know the text before them, or none at all", async () => {
  using model = await load();
  for (
    const [options, message] of [
      [{ batchSize: 0 }, /batchSize must be a whole number of 1…32, or null; got 0/],
      [{ batchSize: 4, conditionOnPreviousText: true }, /batchSize and conditionOnPreviousText/],
      [
        { batchSize: 4, clipTimestamps: [1] },
        /clipTimestamps cannot be given together with vadFilter or batch/,
      ],
    ] as [TranscriptionOptions, RegExp][]
  ) {
    await assert.rejects(
      model.transcribe(silence(1), options),
      (error) => error instanceof SottoError && error.code === "E_OPTION" && message.test(error.message),
    );
  }
});

Deno.test("cutAtPauses() covers all frames once with windows of at most 30 s, cut where it is quiet", () => {
  const probabilities = new Uint8Array(10_000).fill(255);
  probabilities.fill(0, 2500, 2530);
  probabilities.fill(100, 5300, 5320);
  const cuts = cutAtPauses(probabilities);
  assert.equal(cuts[0].start, 0);
  assert.equal(cuts.at(-1)!.end, 10_000);
  for (const [i, { start, end }] of cuts.entries()) {
    assert(end - start <= 3000 && end > start);
    if (i > 0) assert.equal(start, cuts[i - 1].end);
  }
  assert(cuts[0].end > 2500 && cuts[0].end < 2530);
  assert(cuts[1].end >= 5300 && cuts[1].end <= 5320);
  assert.deepEqual(cutAtPauses(new Uint8Array()), []);
  assert.deepEqual(cutAtPauses(new Uint8Array(3000)), [{ start: 0, end: 3000 }]);
});

Deno.test("packSpans() puts as many stretches into a window as it takes", () => {
  const spans = [[0, 1000], [1500, 3000], [3100, 3600], [4000, 7000], [7100, 7101]]
    .map(([start, end]) => ({ start, end }));
  assert.deepEqual(packSpans(spans), [
    { start: 0, end: 3000 },
    { start: 3000, end: 6000 },
    { start: 6000, end: 6001 },
  ]);
  assert.deepEqual(packSpans([]), []);
});

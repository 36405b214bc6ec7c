import assert from "node:assert/strict";
import { loadModel, type Segment, type TranscriptionOptions, type WhisperModel } from "../../mod.ts";
import { SottoError } from "../../errors.ts";
import { DEMO_MODEL } from "../support/command.ts";
import { HAS_LIBRARY, LIBRARY_PATH } from "../support/cpu_library.ts";
import { bundled, cut, joined, noise, RATE, silence, tone } from "./_recordings.ts";

const load = (): Promise<WhisperModel> =>
  loadModel(DEMO_MODEL, HAS_LIBRARY ? { library: LIBRARY_PATH, precision: "f32" } : { device: "portable" });

const PLAIN: TranscriptionOptions = { language: "en", temperature: 0 };

/** Three sentences: 0.4 to 4.5 s, 0.4 to 2.4 s, 0.8 to 2.3 s of their clips. */
async function sentences(): Promise<Float32Array<ArrayBuffer>[]> {
  const commands = await bundled("08_commands");
  return [await bundled("01_command"), cut(commands, 0, 2.9), cut(commands, 15.8, 18.5)];
}

const TEXTS = [
  "The train to Paris leaves at three twenty-four from platform twenty-four.",
  "We need eighty-two bottles and some rice.",
  "Play the news in the cellar.",
];
/** When they are spoken, counted from the first clip's start. */
const TIMES = [[0.4, 4.49], [5.39, 7.4], [8.69, 10.15]];

const spoken = (segments: readonly Segment[]) => segments.filter(({ text }) => text !== "");

/** Fails unless these are the three sentences, at their times; the model is off by up to a second. */
function assertSentences(segments: readonly Segment[], offset: number, about: string): void {
  assert.deepEqual(spoken(segments).map(({ text }) => text.trim()), TEXTS, about);
  for (const [i, { start, end }] of spoken(segments).entries()) {
    assert(Math.abs(start - TIMES[i][0] - offset) < 1, `${about}: ${i} starts at ${start}`);
    assert(Math.abs(end - TIMES[i][1] - offset) < 1, `${about}: ${i} ends at ${end}`);
  }
  let last = 0;
  for (const { start, end, words = [] } of segments) {
    assert(start >= last && end >= start, `${about}: times go back at ${start}`);
    for (const word of words) {
      assert(word.start >= last && word.end >= word.start, `${about}: times go back at ${word.start}`);
      last = word.end;
    }
    last = Math.max(last, end);
  }
}

Deno.test("transcribe() writes exactly the sentences between silence and noise, with voice activity and without", async () => {
  using model = await load();
  const speech = joined(...await sentences());
  const recordings = [
    { samples: joined(silence(20), noise(10, 0.01), speech), offset: 30 },
    { samples: joined(speech, silence(20), noise(10, 0.003)), offset: 0 },
  ];
  for (const [i, { samples, offset }] of recordings.entries()) {
    for (const wordTimestamps of [false, true]) {
      for (const vadFilter of [false, true]) {
        const { segments } = await model.transcribe(samples, { ...PLAIN, wordTimestamps, vadFilter });
        assertSentences(segments, offset, `recording ${i}, words ${wordTimestamps}, voice ${vadFilter}`);
      }
    }
  }
});

Deno.test("transcribe() writes exactly the sentences before and behind silence and noise", async () => {
  using model = await load();
  const clips = await sentences();
  /** When each is spoken in its clip. */
  const spokenAt = [[0.4, 4.49], [0.4, 2.41], [0.8, 2.26]];
  const order = [1, 0, 2];
  const between = [silence(20), noise(10, 0.01)];
  for (const gap of [between, between.toReversed()]) {
    const samples = joined(clips[order[0]], ...gap, clips[order[1]], clips[order[2]]);
    const begins = [0, clips[order[0]].length / RATE + 30, (samples.length - clips[order[2]].length) / RATE];
    for (const wordTimestamps of [false, true]) {
      for (const vadFilter of [false, true]) {
        const { segments } = await model.transcribe(samples, { ...PLAIN, wordTimestamps, vadFilter });
        const about = `words ${wordTimestamps}, voice ${vadFilter}`;
        assert.deepEqual(spoken(segments).map(({ text }) => text.trim()), order.map((i) => TEXTS[i]), about);
        for (const [i, { start, end }] of spoken(segments).entries()) {
          const [from, to] = spokenAt[order[i]].map((time) => begins[i] + time);
          // Without words and voice activity the model takes a window's start for that of its first sentence.
          if (wordTimestamps || vadFilter) {
            assert(Math.abs(start - from) < 1, `${about}: ${i} starts at ${start}`);
          }
          assert(Math.abs(end - to) < 1, `${about}: ${i} ends at ${end}`);
        }
      }
    }
  }
});

Deno.test("transcribe() with voice activity finds sentences that silence and noise lie between", async () => {
  using model = await load();
  const [first, second, third] = await sentences();
  const samples = joined(noise(10, 0.01), first, second, third, silence(20));
  for (const wordTimestamps of [false, true]) {
    const { segments } = await model.transcribe(samples, { ...PLAIN, wordTimestamps, vadFilter: true });
    assertSentences(segments, 10, `words ${wordTimestamps}`);
  }
  const apart = joined(first, silence(20), second, noise(10, 0.01), third);
  const { segments, run } = await model.transcribe(apart, {
    ...PLAIN,
    vadFilter: true,
    wordTimestamps: true,
  });
  assert.deepEqual(spoken(segments).map(({ text }) => text.trim()), TEXTS);
  assert.equal(run.windows, 1);
  for (const [i, start] of [0.4, 25.4, 38.7].entries()) {
    assert(Math.abs(spoken(segments)[i].start - start) < 1, `${i} starts at ${spoken(segments)[i].start}`);
  }
});

Deno.test("transcribe() with voice activity makes nothing of silence, noise, tones, a constant and one sample", async () => {
  using model = await load();
  const melody = joined(...[262, 330, 392, 523].map((hertz) => tone(0.5, hertz)));
  const recordings = [
    silence(3),
    noise(3, 0.05),
    tone(3, 440),
    melody,
    silence(2).fill(0.5),
    new Float32Array([0.5]),
    silence(0),
  ];
  for (const samples of recordings) {
    const { text, segments, run } = await model.transcribe(samples, { vadFilter: true });
    assert.deepEqual([text, segments, run.windows, run.isComplete], ["", [], 0, true]);
  }
});

Deno.test("transcribe() takes recordings around 30 s and speech cut in a word", async () => {
  using model = await load();
  const [first, second] = await sentences();
  for (const length of [479_840, 480_000, 480_160]) {
    const all = joined(first, silence(17), second, silence(6)).slice(0, length);
    for (const vadFilter of [false, true]) {
      const options = { ...PLAIN, vadFilter, wordTimestamps: true };
      const { segments, run } = await model.transcribe(all, options);
      assert(run.isComplete);
      assert.equal(spoken(segments)[0].text.trim(), TEXTS[0], `${length} samples, voice ${vadFilter}`);
      for (const { start, end } of segments) assert(start <= end && start <= 30.02);
    }
  }
  const { segments } = await model.transcribe(cut(first, 0, 2.2), { ...PLAIN, vadFilter: true });
  assert.match(segments[0].text, /^ The train to/);
});

Deno.test("transcribe() reads nothing outside of clipTimestamps", async () => {
  using model = await load();
  const { segments, run } = await model.transcribe(await bundled("08_commands"), {
    ...PLAIN,
    clipTimestamps: "3, 6, 16",
    conditionOnPreviousText: false,
  });
  assert.equal(run.windows, 2);
  assert(run.isComplete);
  assert.equal(segments[0].text, " It is windy and cold tomorrow.");
  assert(segments.every(({ start, end }) => (start >= 3 && end <= 6.1) || start >= 16));
});

Deno.test("transcribe() refuses options of voice activity that contradict each other, before it reads", async () => {
  using model = await load();
  for (
    const [options, message] of [
      [{ vadParameters: {} }, /vadParameters needs vadFilter/],
      [{ vadFilter: true, clipTimestamps: "1,2" }, /clipTimestamps cannot be given together with vadFilter/],
      [{ vadFilter: 1 }, /vadFilter must be true or false; got 1/],
      [{ vadFilter: true, vadParameters: { treshold: 1 } }, /treshold is not one of them/],
      [{ clipTimestamps: "3,2" }, /clipTimestamps must be seconds of 0 or more in ascending order/],
      [{ loopThreshold: 1 }, /loopThreshold must be a whole number of 3 or more, or null; got 1/],
    ] as [TranscriptionOptions, RegExp][]
  ) {
    await assert.rejects(
      model.transcribe("/does/not/exist.wav", options),
      (error) => error instanceof SottoError && error.code === "E_OPTION" && message.test(error.message),
    );
  }
});

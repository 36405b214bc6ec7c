// Which segment a word belongs to, and how times are mended.

import assert from "node:assert/strict";
import { placeWords, type TimedSegment } from "../../decoder/words/place_words.ts";
import { anomalyScore, isAnomalous, skipSilence } from "../../decoder/words/hallucination.ts";
import { APPEND_PUNCTUATIONS, PREPEND_PUNCTUATIONS } from "../../decoder/words/punctuation.ts";
import { seededRandom } from "../../decoder/random.ts";
import type { Word } from "../../decoder/words/word.ts";
import { WordOrder } from "../../decoder/words/word_order.ts";
import { dataJson } from "./_data.ts";

const rest = {
  id: 0,
  text: " x",
  temperature: 0,
  avgLogprob: 0,
  compressionRatio: 1,
  noSpeechProb: 0,
};

function segment(start: number, end: number, words: Word[] = [], tokens: number[] = []): TimedSegment {
  return { ...rest, seek: 0, start, end, words, tokens };
}

/** A word of some length at a place, as likely as words are. */
const word = (start: number, end: number, text = " w", probability = 0.9): Word => ({
  word: text,
  start,
  end,
  probability,
});

Deno.test("placeWords() places and mends words as openai-whisper does", async () => {
  const { placements } = await dataJson("words.json");
  let count = 0;
  for (const { seek, last_speech, words, segments, placed } of placements) {
    const ours = segments.map((given: TimedSegment) => ({ ...rest, ...given, words: [] }));
    placeWords(ours, words, {
      offset: seek / 100,
      eot: 10,
      lastSpeech: last_speech,
      prependPunctuations: PREPEND_PUNCTUATIONS,
      appendPunctuations: APPEND_PUNCTUATIONS,
    });
    const found = ours.map(({ start, end, words }: TimedSegment) => ({ start, end, words }));
    assert.deepEqual(found, placed);
    count += placed.length;
  }
  assert(count > 200);
});

Deno.test("WordOrder leaves words alone that are in order", () => {
  const segments = [segment(0, 2, [word(0, 1), word(1, 2)]), segment(2.5, 4, [word(2.5, 3), word(3, 3.5)])];
  const before = structuredClone(segments);
  new WordOrder().apply(segments);
  assert.deepEqual(segments, before);
});

Deno.test("WordOrder moves words behind the end of the word before, across windows", () => {
  const order = new WordOrder();
  order.apply([segment(0, 2, [word(0, 1), word(1, 2)])]);
  const late = segment(1.5, 3, [word(1.5, 1.8), word(1.8, 3)]);
  order.apply([late]);
  assert.deepEqual(late.words, [word(2, 2), word(2, 3)]);
  assert.deepEqual([late.start, late.end], [2, 3]);
  const silent = segment(1, 2.5);
  order.apply([silent]);
  assert.deepEqual([silent.start, silent.end], [3, 3]);
});

Deno.test("WordOrder puts any times in order", () => {
  const random = seededRandom(3);
  const order = new WordOrder();
  let last = 0;
  let lastSegment = 0;
  for (let round = 0; round < 200; round++) {
    const words = Array.from({ length: Math.floor(random() * 5) }, () => word(random() * 50, random() * 50));
    const one = segment(words[0]?.start ?? random() * 50, words.at(-1)?.end ?? random() * 50, words);
    order.apply([one]);
    for (const { start, end } of one.words) {
      assert(start >= last && end >= start);
      last = end;
    }
    assert(one.start >= lastSegment && one.end >= one.start);
    lastSegment = one.end;
  }
});

Deno.test("anomalyScore() counts what is unlikely, too short and too long", () => {
  assert.equal(anomalyScore(word(0, 1)), 0);
  assert.equal(anomalyScore(word(0, 1, " w", 0.1)), 1);
  assert(Math.abs(anomalyScore(word(0, 0.033)) - 1.5) < 1e-12);
  assert.equal(anomalyScore(word(0, 5)), 3);
});

Deno.test("isAnomalous() judges the first eight words, punctuation left out", () => {
  const made = (count: number) => Array.from({ length: count }, (_, i) => word(i, i + 1, " w", 0.01));
  assert.equal(isAnomalous(undefined), false);
  assert.equal(isAnomalous(segment(0, 1)), false);
  assert.equal(isAnomalous(segment(0, 1, [word(0, 1)])), false);
  assert.equal(isAnomalous(segment(0, 1, made(1))), true);
  assert.equal(isAnomalous(segment(0, 4, [...made(2), word(2, 3), word(3, 4)])), false);
  assert.equal(isAnomalous(segment(0, 9, [...made(3), ...Array(5).fill(word(3, 4))])), true);
  assert.equal(isAnomalous(segment(0, 9, [...Array(8).fill(word(3, 4)), ...made(5)])), false);
  assert.equal(isAnomalous(segment(0, 1, [word(0, 9, "."), word(9, 10)])), false);
});

const WINDOW = { seek: 0, frames: 3000, windowFrames: 3000, contentFrames: 9000 };
const madeUp = (start: number) => segment(start, start + 0.3, [word(start, start + 0.3, " w", 0.01)]);
const spoken = (start: number) =>
  segment(start, start + 2, [word(start, start + 1), word(start + 1, start + 2)]);

Deno.test("skipSilence() reads a window again from where its first words seem made up after silence", () => {
  const skip = skipSilence([madeUp(6), spoken(10)], WINDOW, { threshold: 2, lastSpeech: 0 });
  assert.deepEqual(skip, { kept: 0, nextSeek: 600, isRetried: true });
  const kept = skipSilence([madeUp(6), spoken(10)], WINDOW, { threshold: 7, lastSpeech: 0 });
  assert.deepEqual(kept, { kept: 2, nextSeek: null, isRetried: false });
});

Deno.test("skipSilence() drops what seems made up between silences, and what follows", () => {
  const segments = [spoken(1), segment(4, 5), madeUp(10), spoken(20)];
  const skip = skipSilence(segments, WINDOW, { threshold: 2, lastSpeech: 0 });
  assert.deepEqual(skip, { kept: 2, nextSeek: 1000, isRetried: false });
  const followed = [spoken(1), madeUp(10), spoken(10.5)];
  assert.deepEqual(skipSilence(followed, WINDOW, { threshold: 2, lastSpeech: 0 }), {
    kept: 3,
    nextSeek: null,
    isRetried: false,
  });
});

Deno.test("skipSilence() ends the recording where made-up words stand at its end", () => {
  const end = { seek: 6000, frames: 3000, windowFrames: 3000, contentFrames: 9000 };
  const skip = skipSilence([spoken(61), madeUp(88.9)], end, { threshold: 2, lastSpeech: 60 });
  assert.deepEqual(skip, { kept: 1, nextSeek: 9000, isRetried: false });
});

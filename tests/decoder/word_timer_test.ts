// Word times of whatever a model may attend to.

import assert from "node:assert/strict";
import type { WindowResult } from "../../decoder/mod.ts";
import { type Random, seededRandom } from "../../decoder/random.ts";
import { cutWindow } from "../../decoder/segments.ts";
import { WordTimer, type WordTimerModel } from "../../decoder/words/word_timer.ts";
import { APPEND_PUNCTUATIONS, PREPEND_PUNCTUATIONS } from "../../decoder/words/punctuation.ts";
import { alignmentPath } from "../../kernels/portable/alignment_path.ts";
import { demoTokenizer } from "./_demo_model.ts";
import { assertInOrder } from "./_words_in_order.ts";

const tokenizer = await demoTokenizer();
const { special } = tokenizer;
const WORDS = [" the", " kitchen", ".", ",", " and", "-", "Ä", ' "', "?"].map((text) =>
  tokenizer.encode(text)
);
const HEADS = 2;
const T = 1500;

const result = (tokens: readonly number[]): WindowResult => ({
  language: "en",
  detection: null,
  tokens,
  text: "",
  avgLogprob: 0,
  noSpeechProb: 0,
  temperature: 0,
  compressionRatio: 1,
});

/** Text between times that never go back, as a decoder writes it. */
function textAtRandom(random: Random, steps: number): number[] {
  const tokens: number[] = [];
  const below = (limit: number) => Math.floor(random() * limit);
  for (let step = below(50), i = 0; i < 5 && step < steps; i++) {
    tokens.push(special.timestampBegin + step);
    for (let n = below(8); n > 0; n--) tokens.push(...WORDS[below(WORDS.length)]);
    step = Math.min(steps, step + below(400));
    if (random() < 0.85) tokens.push(special.timestampBegin + step);
  }
  return tokens;
}

/** Scores of several kinds: noise, one sharp place for each token, or none at all. */
function scoresAtRandom(random: Random, tokens: number): Float32Array<ArrayBuffer> {
  const scores = new Float32Array(HEADS * tokens * T);
  const kind = random();
  if (kind < 0.4) return scores.map(() => random() * 8);
  if (kind < 0.9) {
    for (let row = 0; row < HEADS * tokens; row++) {
      scores[row * T + Math.floor(random() * T)] = 200 * random();
    }
  }
  return scores;
}

for (const hallucinationSilenceThreshold of [null, 1]) {
  const named = hallucinationSilenceThreshold === null ? "" : " and skips silence";
  Deno.test(`WordTimer keeps words in order for any attention${named}`, async () => {
    const random = seededRandom(11);
    const contentFrames = 400_000;
    const align: WordTimerModel["align"] = ({ length }, options) => {
      const scores = { data: scoresAtRandom(random, length), heads: HEADS, tokens: length, positions: T };
      return Promise.resolve({
        entries: alignmentPath(scores, options),
        probabilities: Float32Array.from({ length }, () => random() ** 2),
      });
    };
    const timer = new WordTimer({ tokenizer, framesPerStep: 2, contentFrames, align }, {
      prependPunctuations: PREPEND_PUNCTUATIONS,
      appendPunctuations: APPEND_PUNCTUATIONS,
      hallucinationSilenceThreshold,
    });
    const segments = [];
    let seek = 0;
    for (let round = 0; round < 120; round++) {
      const frames = random() < 0.1 ? 1 + Math.floor(random() * 20) : 3000;
      const window = { seek, frames, result: result(textAtRandom(random, frames >> 1)) };
      const cut = cutWindow(window, { tokenizer, framesPerStep: 2, firstId: 0 });
      const timed = await timer.time(window, cut, "transcribe");
      assert(Number.isInteger(timed.nextSeek) && timed.nextSeek > seek, "every window goes on");
      if (timed.isRetried) assert.deepEqual(timed.segments, []);
      segments.push(...timed.segments);
      seek = timed.nextSeek;
    }
    assert(segments.length > 50);
    assertInOrder(segments);
  });
}

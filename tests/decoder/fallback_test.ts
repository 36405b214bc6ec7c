import assert from "node:assert/strict";
import type { WindowResult } from "../../decoder/mod.ts";
import { decodeWithFallback, isSilence, needsFallback, widestOf } from "../../decoder/fallback.ts";
import type { ResolvedDecodeOptions } from "../../decoder/options.ts";
import { seededRandom } from "../../decoder/random.ts";
import { resolveTranscribeOptions } from "../../decoder/resolve_options.ts";
import { demoTokenizer } from "./_demo_model.ts";

const model = { tokenizer: await demoTokenizer(), contextLength: 448 };
const DEFAULTS = resolveTranscribeOptions({ language: "en" }, model);
const GOOD = { compressionRatio: 1.5, avgLogprob: -0.3, noSpeechProb: 0.1 };

Deno.test("needsFallback() asks for another try for repetitive and for unlikely texts", () => {
  assert.equal(needsFallback(GOOD, DEFAULTS), false);
  assert.equal(needsFallback({ ...GOOD, compressionRatio: 2.4 }, DEFAULTS), false);
  assert.equal(needsFallback({ ...GOOD, compressionRatio: 2.41 }, DEFAULTS), true);
  assert.equal(needsFallback({ ...GOOD, avgLogprob: -1 }, DEFAULTS), false);
  assert.equal(needsFallback({ ...GOOD, avgLogprob: -1.01 }, DEFAULTS), true);
});

Deno.test("needsFallback() lets an unlikely text be where nothing seems to be said", () => {
  const silent = { ...GOOD, avgLogprob: -2, noSpeechProb: 0.61 };
  assert.equal(needsFallback(silent, DEFAULTS), false);
  assert.equal(isSilence(silent, DEFAULTS), true);
  assert.equal(needsFallback({ ...silent, compressionRatio: 9 }, DEFAULTS), false);
  assert.equal(needsFallback({ ...silent, noSpeechProb: 0.6 }, DEFAULTS), true);
  // A likely text is no silence, and still may be too repetitive.
  assert.equal(needsFallback({ ...silent, avgLogprob: -0.1, compressionRatio: 9 }, DEFAULTS), true);
  assert.equal(isSilence({ ...silent, avgLogprob: -0.1 }, DEFAULTS), false);
});

Deno.test("needsFallback() leaves out the thresholds that are null, and unknown probabilities of no speech", () => {
  const bad = { compressionRatio: 9, avgLogprob: -9, noSpeechProb: 0.9 };
  const none = { compressionRatioThreshold: null, logprobThreshold: null, noSpeechThreshold: null };
  assert.equal(needsFallback(bad, none), false);
  assert.equal(isSilence(bad, none), false);
  assert.equal(needsFallback(bad, { ...DEFAULTS, noSpeechThreshold: null }), true);
  assert.equal(needsFallback(bad, { ...DEFAULTS, logprobThreshold: null }), true);
  assert.equal(needsFallback({ ...bad, noSpeechProb: NaN }, DEFAULTS), true);
});

/** Plays results one after the other, and notes what was asked. */
function player(results: readonly Partial<WindowResult>[]) {
  const asked: ResolvedDecodeOptions[] = [];
  const decode = (options: ResolvedDecodeOptions): Promise<WindowResult> => {
    asked.push(options);
    const result = { ...GOOD, ...results[asked.length - 1], temperature: options.temperature };
    return Promise.resolve(result as WindowResult);
  };
  return { asked, decode };
}

const controls = { random: seededRandom(0) };
const window = { language: "en", prompt: [] };
const BAD = { avgLogprob: -5 };

Deno.test("decodeWithFallback() stops at the first text that passes", async () => {
  for (
    const [results, temperatures] of [[[{}], [0]], [[BAD, {}], [0, 0.2]], [[BAD, BAD, BAD, {}], [
      0,
      0.2,
      0.4,
      0.6,
    ]]] as const
  ) {
    const decoder = player(results);
    const result = await decodeWithFallback(decoder, { ...DEFAULTS, ...window }, controls);
    assert.deepEqual(decoder.asked.map(({ temperature }) => temperature), temperatures);
    assert.equal(result.temperature, temperatures.at(-1));
  }
});

Deno.test("decodeWithFallback() takes the last text where none passes", async () => {
  const decoder = player([BAD, BAD]);
  const options = { ...DEFAULTS, ...window, temperatures: [0, 1] };
  assert.equal((await decodeWithFallback(decoder, options, controls)).temperature, 1);
  assert.equal(decoder.asked.length, 2);
});

Deno.test("widestOf() makes room for beams at 0 and for samples above", () => {
  const wide = (options: object) => widestOf(resolveTranscribeOptions({ language: "en", ...options }, model));
  assert.equal(wide({}), 1);
  assert.equal(wide({ beamSize: 5 }), 5);
  assert.equal(wide({ beamSize: 3, bestOf: 7 }), 7);
  assert.equal(wide({ bestOf: 7, temperature: 0.5 }), 7);
  assert.equal(wide({ beamSize: 5, temperature: [0] }), 5);
});

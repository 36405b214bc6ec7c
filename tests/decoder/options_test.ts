import assert from "node:assert/strict";
import {
  checkTranscribeOptions,
  parseLanguage,
  resolveDecodeOptions,
  Tokenizer,
  type TranscribeOptions,
} from "../../decoder/mod.ts";
import { resolveTranscribeOptions } from "../../decoder/options.ts";
import { demoTokenizer } from "./_demo_model.ts";

const demo = { tokenizer: await demoTokenizer(), contextLength: 448 };
const english = {
  tokenizer: await Tokenizer.fromBundled("gpt2", { vocabularySize: 51864 }),
  contextLength: 448,
};

Deno.test("resolveTranscribeOptions() fills in openai-whisper's defaults", () => {
  const { suppressTokens, ...options } = resolveTranscribeOptions({}, demo);
  assert.deepEqual(options, {
    task: "transcribe",
    language: null,
    temperature: 0,
    seed: 0,
    sampleLen: 224,
    prefix: [],
    suppressBlank: true,
    withoutTimestamps: false,
    maxInitialTimestamp: 1,
    initialPrompt: [],
    carryInitialPrompt: false,
    conditionOnPreviousText: true,
    noSpeechThreshold: 0.6,
    logprobThreshold: -1,
  });
  const { transcribe, translate, sot, prev, startOfLm, noSpeech } = demo.tokenizer.special;
  const prompts = [transcribe, translate, sot, prev, startOfLm!, noSpeech!];
  assert.deepEqual(new Set(suppressTokens), new Set([...demo.tokenizer.nonSpeechTokens, ...prompts]));
});

Deno.test("resolveDecodeOptions() reads suppressTokens as openai-whisper does", () => {
  const suppressed = (suppressTokens: string | number[] | null) =>
    resolveDecodeOptions({ suppressTokens }, demo).suppressTokens;
  for (const none of ["", [], null]) assert.deepEqual(suppressed(none), []);
  assert.deepEqual(suppressed("11, 13"), [11, 13, 860, 863, 864, 865, 866, 867]);
  assert.deepEqual(suppressed([13, 11, 13]), suppressed("11,13"));
  assert.deepEqual(suppressed([-1, 13]), suppressed("13,-1"));
  assert(suppressed("-1,13").includes(demo.tokenizer.nonSpeechTokens[0]));
});

Deno.test("resolveDecodeOptions() encodes texts with one space before them and takes tokens as they are", () => {
  const resolved = resolveDecodeOptions({ prompt: "  the kitchen ", prefix: [5, 6] }, demo);
  assert.deepEqual(resolved.prompt, demo.tokenizer.encode(" the kitchen"));
  assert.deepEqual(resolved.prefix, [5, 6]);
  assert.deepEqual(resolveDecodeOptions({ prompt: "", prefix: null }, demo).prompt, []);
});

/** Options that break a rule, and what the error must say. */
const REFUSED: readonly [options: Record<string, unknown>, message: RegExp, hint?: RegExp][] = [
  [{ temprature: 0 }, /temprature is not one of them/, /Did you mean "temperature"/],
  [{ beamSize: 5 }, /beamSize is not one of them/],
  [{ temperature: [0, 0.2] }, /temperature must be a number of 0…1 .*got \[0,0\.2\]/],
  [{ temperature: -0.1 }, /temperature/],
  [{ temperature: NaN }, /temperature/],
  [{ temperature: "0" }, /temperature/],
  [{ seed: 0.5 }, /seed must be an integer/],
  [{ sampleLen: 0 }, /sampleLen must be a positive integer/],
  [{ sampleLen: 449 }, /sampleLen must be at most the model's context, 448/],
  [{ task: "translat" }, /task must be transcribe or translate; got "translat"/],
  [{ language: 7 }, /language must be a text/],
  [{ language: "germn" }, /language must be a language/, /Did you mean "german"/],
  [{ language: "xx" }, /language must be a language/],
  [{ language: "fr" }, /language must be one that this model knows; got fr \(french\)/, /It knows en, de\./],
  [{ suppressTokens: "1,x" }, /suppressTokens must be a list/],
  [{ suppressTokens: [-2] }, /suppressTokens must be a list/],
  [{ suppressTokens: [2370] }, /suppressTokens must be ids of 0…2369; got 2370/],
  [{ prefix: [1.5] }, /prefix must be a text or a list/],
  [{ prefix: "<|de|>" }, /must not spell a special token/],
  [{ initialPrompt: 5 }, /initialPrompt must be a text/],
  [{ maxInitialTimestamp: 31 }, /maxInitialTimestamp must be seconds of 0…30/],
  [{ noSpeechThreshold: 1.5 }, /noSpeechThreshold must be a probability/],
  [{ logprobThreshold: NaN }, /logprobThreshold/],
  [{ suppressBlank: 1 }, /suppressBlank must be true or false/],
];

for (const [options, message, hint = /(?:)/] of REFUSED) {
  Deno.test(`resolveTranscribeOptions() refuses ${JSON.stringify(options)}`, () => {
    const resolve = () => resolveTranscribeOptions(options as TranscribeOptions, demo);
    assert.throws(resolve, { code: "E_OPTION", message, hint });
  });
}

Deno.test("checkTranscribeOptions() finds what needs no model", () => {
  checkTranscribeOptions({
    language: "fr",
    initialPrompt: "x",
    signal: AbortSignal.timeout(1e6),
    onProgress: () => {},
  });
  assert.throws(() => checkTranscribeOptions({ language: "frensh" }), { code: "E_OPTION", hint: /french/ });
  assert.throws(() => checkTranscribeOptions({ temperature: 2 }), { code: "E_OPTION" });
});

Deno.test("resolveTranscribeOptions() takes English, and only that, for an English-only model", () => {
  for (const language of [undefined, null, "en", "English"]) {
    assert.equal(resolveTranscribeOptions({ language }, english).language, "en");
  }
  assert.throws(() => resolveTranscribeOptions({ language: "de" }, english), {
    code: "E_OPTION",
    message: /language must be en for an English-only model; got de \(german\)/,
  });
  assert.throws(() => resolveTranscribeOptions({ task: "translate" }, english), {
    code: "E_OPTION",
    message: /task must be transcribe/,
  });
});

Deno.test("parseLanguage() takes codes, names and other names in any case", () => {
  const spellings = {
    de: "de",
    German: "de",
    MANDARIN: "zh",
    "haitian creole": "ht",
    yue: "yue",
    " Castilian ": "es",
  };
  for (const [spelling, code] of Object.entries(spellings)) assert.equal(parseLanguage(spelling), code);
});

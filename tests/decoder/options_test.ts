import assert from "node:assert/strict";
import {
  checkTranscribeOptions,
  parseLanguage,
  resolveDecodeOptions,
  resolveTranscribeOptions,
  Tokenizer,
  type TranscribeOptions,
} from "../../decoder/mod.ts";
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
    temperatures: [0, 0.2, 0.4, 0.6, 0.8, 1],
    compressionRatioThreshold: 2.4,
    seed: 0,
    beamSize: null,
    patience: null,
    bestOf: null,
    lengthPenalty: null,
    repetitionPenalty: 1,
    noRepeatNgramSize: 0,
    sampleLen: 224,
    prefix: [],
    hotwords: [],
    suppressBlank: true,
    withoutTimestamps: false,
    clips: [{ start: 0, end: null }],
    loopThreshold: null,
    words: null,
    maxInitialTimestamp: 1,
    initialPrompt: [],
    carryInitialPrompt: false,
    conditionOnPreviousText: true,
    noSpeechThreshold: 0.6,
    logprobThreshold: -1,
    multilingual: false,
    languageDetectionSegments: 1,
    languageDetectionThreshold: 0.5,
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
  [{ temperature: [0, 1.2] }, /temperature must be a number of 0…1, or a list of them; got \[0,1\.2\]/],
  [{ temperature: [] }, /temperature must be .* list/],
  [{ temperature: [0, "1"] }, /temperature must be .* list/],
  [{ beamSize: 0 }, /beamSize must be a whole number of 1…32, or null; got 0/],
  [{ beamSize: 33 }, /beamSize/],
  [{ bestOf: 2.5 }, /bestOf must be a whole number of 1…32/],
  [{ patience: 0, beamSize: 2 }, /patience must be a number above 0/],
  [{ lengthPenalty: 1.1 }, /lengthPenalty must be a number of 0…1/],
  [{ repetitionPenalty: 0 }, /repetitionPenalty must be a number above 0/],
  [{ noRepeatNgramSize: -1 }, /noRepeatNgramSize must be a whole number/],
  [{ maxNewTokens: 449 }, /maxNewTokens must be at most the model's context, 448/],
  [{ compressionRatioThreshold: 0 }, /compressionRatioThreshold must be a number above 0/],
  [{ languageDetectionSegments: 0 }, /languageDetectionSegments must be a positive integer/],
  [{ languageDetectionThreshold: 50 }, /languageDetectionThreshold must be a probability/],
  [{ hotwords: 7 }, /hotwords must be a text/],
  [{ bestOf: 5, temperature: 0 }, /bestOf needs a temperature above 0; got \[0\]/, /beamSize/],
  [{ beamSize: 5, temperature: 0.4 }, /beamSize needs temperature 0; got \[0\.4\]/, /bestOf/],
  [{ beamSize: 5, temperature: [0.2, 0.4] }, /beamSize needs temperature 0/],
  [{ patience: 2 }, /patience needs beamSize; got patience 2 alone/],
  [{ patience: 0.1, beamSize: 2 }, /beamSize × patience must come to at least one text; got 2 × 0\.1/],
  [{ sampleLen: 5, maxNewTokens: 5 }, /sampleLen and maxNewTokens cannot be given together/],
  [{ prefix: "a", hotwords: "b" }, /hotwords and prefix cannot be given together/],
  [{ multilingual: true, language: "en" }, /multilingual and language cannot be given together/],
  [{ multilingual: true, languageDetectionSegments: 3 }, /multilingual and languageDetectionSegments cannot/],
  [{ wordTimestamps: 1 }, /wordTimestamps must be true or false; got 1/],
  [{ prependPunctuations: null }, /prependPunctuations must be a text/],
  [{ appendPunctuations: ["."] }, /appendPunctuations must be a text/],
  [{ wordTimestamps: true, hallucinationSilenceThreshold: -1 }, /Threshold must be seconds of 0 or more/],
  [{ hallucinationSilenceThreshold: 2 }, /hallucinationSilenceThreshold needs word times/],
  [{ wordTimestamps: true, sampleLen: 444 }, /with word times, sampleLen must be at most 443; got 444/],
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

Deno.test("resolveDecodeOptions() takes beams at temperature 0, samples above, and not the other way round", () => {
  assert.equal(resolveDecodeOptions({ beamSize: 5 }, demo).beamSize, 5);
  assert.equal(resolveDecodeOptions({ bestOf: 5, temperature: 0.2 }, demo).bestOf, 5);
  assert.throws(() => resolveDecodeOptions({ bestOf: 5 }, demo), {
    code: "E_OPTION",
    message: /bestOf needs/,
  });
  assert.throws(() => resolveDecodeOptions({ beamSize: 5, temperature: 0.2 }, demo), { code: "E_OPTION" });
  // A recording may need both.
  const both = resolveTranscribeOptions({ beamSize: 5, bestOf: 3, patience: 2 }, demo);
  assert.deepEqual([both.beamSize, both.bestOf, both.patience], [5, 3, 2]);
});

Deno.test("resolveDecodeOptions() takes a single beam for greedy decoding, unless it is to be patient", () => {
  assert.equal(resolveDecodeOptions({ beamSize: 1 }, demo).beamSize, null);
  assert.equal(resolveDecodeOptions({ beamSize: 1, patience: 2 }, demo).beamSize, 1);
});

Deno.test("resolveDecodeOptions() takes maxNewTokens for sampleLen", () => {
  assert.equal(resolveDecodeOptions({ maxNewTokens: 10 }, demo).sampleLen, 10);
  assert.equal(resolveDecodeOptions({ maxNewTokens: null }, demo).sampleLen, 224);
});

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
  assert.throws(() => resolveTranscribeOptions({ multilingual: true }, english), {
    code: "E_OPTION",
    message: /multilingual needs a model of several languages/,
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

Deno.test("resolveTranscribeOptions() completes the options of word times, where they are wanted", () => {
  const words = (options: TranscribeOptions) => resolveTranscribeOptions(options, demo).words;
  assert.deepEqual(words({ wordTimestamps: true, sampleLen: 443 }), {
    prependPunctuations: "\"'“¿([{-",
    appendPunctuations: "\"'.。,，!！?？:：”)]}、",
    hallucinationSilenceThreshold: null,
  });
  assert.deepEqual(
    words({
      wordTimestamps: true,
      prependPunctuations: "",
      appendPunctuations: ".",
      hallucinationSilenceThreshold: 2,
    }),
    { prependPunctuations: "", appendPunctuations: ".", hallucinationSilenceThreshold: 2 },
  );
  assert.equal(words({ wordTimestamps: false, appendPunctuations: "." }), null);
});

// The loop over windows, against scripts that a model would rarely write.

import assert from "node:assert/strict";
import {
  type MelWindows,
  type Progress,
  type RunControls,
  type Segment,
  type TranscribeOptions,
  transcribeWindows,
} from "../../decoder/mod.ts";
import { SottoError, type Warning } from "../../errors.ts";
import { demoTokenizer } from "./_demo_model.ts";
import { LIKELY, type Scripted, ScriptedDecoder, writing } from "./_scripted_decoder.ts";

const tokenizer = await demoTokenizer();
const { special } = tokenizer;
const WORD = tokenizer.encode(" the")[0];
const alignmentHeads = [[0, 0]] as const;

/** The token of a time in a window. */
const at = (seconds: number) => special.timestampBegin + Math.round(seconds / 0.02);

/** What a run came to, and what was asked of its model. */
async function transcribe(
  script: readonly (readonly Scripted[])[],
  { frames = 3000, noSpeech, ...options }: TranscribeOptions & RunControls & {
    frames?: number;
    noSpeech?: number;
  } = {},
) {
  const decoder = new ScriptedDecoder(tokenizer, script, noSpeech);
  const asked: [seek: number, frames: number][] = [];
  const windows: MelWindows = {
    contentFrames: frames,
    window: (seek, frames) => {
      asked.push([seek, frames]);
      return Promise.resolve(new Float32Array(0));
    },
  };
  const encode = (mel: Float32Array<ArrayBuffer>) => Promise.resolve(mel);
  const run = transcribeWindows(windows, { decoder, tokenizer, encode, alignmentHeads }, {
    language: "en",
    ...options,
  });
  const segments: Segment[] = [];
  try {
    let step = await run.next();
    for (; !step.done; step = await run.next()) segments.push(step.value);
    return { segments, asked, decoder, summary: step.value };
  } finally {
    assert.equal(decoder.open_, 0, "every session must be disposed of");
  }
}

/** The prompt that a window was given, up to `<|startoftranscript|>`. */
function promptOf(decoder: ScriptedDecoder, window: number): readonly number[] {
  const { tokens } = decoder.windows[window][0];
  return tokens.slice(0, tokens.indexOf(special.sot));
}

const times = (segments: readonly Segment[]) => segments.map(({ seek, start, end }) => [seek, start, end]);

Deno.test("transcribeWindows() goes on at the last pair of times and drops what follows it", async () => {
  const { segments, asked, summary } = await transcribe([
    writing([at(0), WORD, at(4), at(4), WORD, at(6), at(6), WORD]),
    writing([at(0), WORD, at(2)]),
  ], { frames: 3600 });
  assert.deepEqual(times(segments), [[0, 0, 4], [0, 4, 6], [600, 6, 8]]);
  assert.deepEqual(asked, [[0, 3000], [600, 3000]]);
  assert.equal(summary.text, " the the the");
  assert.deepEqual(segments.map(({ id }) => id), [0, 1, 2]);
});

Deno.test("transcribeWindows() takes a window as done that ends with a single time", async () => {
  const { segments, asked } = await transcribe([
    writing([at(0), WORD, at(4), at(4), WORD, at(6)]),
  ], { frames: 3500 });
  assert.deepEqual(times(segments).slice(0, 2), [[0, 0, 4], [0, 4, 6]]);
  assert.deepEqual(asked, [[0, 3000], [3000, 500]]);
});

Deno.test("transcribeWindows() takes a window without an end time as one segment of its length", async () => {
  const { segments } = await transcribe([writing([at(0), WORD])], { frames: 777 });
  assert.deepEqual(times(segments), [[0, 0, 7.77]]);
});

Deno.test("transcribeWindows() clears segments without text", async () => {
  const { segments, summary } = await transcribe([
    writing([at(0), 220, at(3), at(3), WORD, at(5)]),
  ], { suppressTokens: "" });
  assert.equal(tokenizer.decode([220]), " ");
  assert.deepEqual(segments.map(({ text, tokens, words }) => [text, tokens.length, words]), [
    ["", 0, []],
    [" the", 3, undefined],
  ]);
  assert.equal(summary.text, " the");
});

Deno.test("transcribeWindows() gets on where a model repeats the first time for ever", async () => {
  const loop = writing([at(0), at(0), at(0), at(0)]);
  const { asked } = await transcribe([loop, loop], {
    frames: 6000,
    withoutTimestamps: true,
    suppressTokens: "",
  });
  assert.deepEqual(asked, [[0, 3000], [3000, 3000]]);
});

Deno.test("transcribeWindows() shows each window the text before it, cut to half the context", async () => {
  const long = writing([at(0), ...new Array(220).fill(WORD), at(30)]);
  const { decoder } = await transcribe([long, long, []], { frames: 9000, temperature: 0 });
  assert.deepEqual(promptOf(decoder, 0), []);
  assert.deepEqual(promptOf(decoder, 1).slice(0, 3), [special.prev, at(0), WORD]);
  assert.equal(promptOf(decoder, 1).length, 1 + 222);
  assert.equal(promptOf(decoder, 2).length, 1 + 223);
  assert.equal(promptOf(decoder, 2).at(-1), at(30));
});

Deno.test("transcribeWindows() shows nothing where conditionOnPreviousText is false or the text was hot", async () => {
  const words = writing([at(0), WORD, at(30)]);
  for (const options of [{ conditionOnPreviousText: false }, { temperature: 0.6 }]) {
    const { decoder } = await transcribe([words, words], { frames: 6000, ...options });
    assert.deepEqual(promptOf(decoder, 1), []);
  }
  const { decoder } = await transcribe([words, words], { frames: 6000, temperature: 0.5 });
  assert.notDeepEqual(promptOf(decoder, 1), []);
});

Deno.test("transcribeWindows() puts the initial prompt before the first window, or before all", async () => {
  const words = writing([at(0), WORD, at(30)]);
  const prompt = tokenizer.encode(" kitchen");
  const once = await transcribe([words, words], {
    frames: 6000,
    initialPrompt: "kitchen",
    conditionOnPreviousText: false,
  });
  assert.deepEqual([promptOf(once.decoder, 0), promptOf(once.decoder, 1)], [[special.prev, ...prompt], []]);
  assert.equal(once.summary.text, " the the");
  const carried = await transcribe([words, words], {
    frames: 6000,
    initialPrompt: "kitchen",
    carryInitialPrompt: true,
  });
  assert.deepEqual(promptOf(carried.decoder, 1), [special.prev, ...prompt, at(0), WORD, at(30)]);
});

Deno.test("transcribeWindows() warns once of an initial prompt that is too long", async () => {
  const warnings: Warning[] = [];
  const onWarning = (warning: Warning) => warnings.push(warning);
  const { decoder } = await transcribe([], { initialPrompt: "the ".repeat(300), frames: 6000, onWarning });
  assert.equal(promptOf(decoder, 0).length, 224);
  assert.deepEqual(warnings.map(({ code }) => code), ["W_OPTION"]);
  assert.match(warnings[0].message, /300 tokens and room for 223/);
});

Deno.test("transcribeWindows() skips a window without speech, unless its text is likely", async () => {
  const likely = writing([at(0), WORD, at(2)]);
  // The word hardly stands out from the 2,370 others: about log(1 / 2,370) a token.
  const unlikely: Scripted[] = [{ [at(0)]: LIKELY }, { [WORD]: 0.1 }, { [WORD]: 0.1 }, { [special.eot]: 9 }];
  const skipped = await transcribe([unlikely], { noSpeech: LIKELY });
  assert.deepEqual(skipped.segments, []);
  const kept = await transcribe([likely], { noSpeech: LIKELY });
  assert.equal(kept.segments.length, 1);
  assert(kept.segments[0].noSpeechProb > 0.99);
  const strict = await transcribe([likely], { noSpeech: LIKELY, logprobThreshold: null });
  assert.deepEqual(strict.segments, []);
  const lenient = await transcribe([unlikely], { noSpeech: LIKELY, noSpeechThreshold: null });
  assert.equal(lenient.segments.length, 1);
});

Deno.test("transcribeWindows() detects the language on the opening window, once", async () => {
  const words = writing([at(0), WORD, at(10), at(10)]);
  const german: Scripted = { [special.languages.get("de")!]: 2 };
  const decoder = new ScriptedDecoder(tokenizer, [[german], words, words]);
  const asked: string[] = [];
  const windows: MelWindows = {
    contentFrames: 1500,
    window: (seek, frames) => (asked.push(`${seek}+${frames}`), Promise.resolve(new Float32Array(0))),
    openingWindow: () => (asked.push("opening"), Promise.resolve(new Float32Array(0))),
  };
  const run = transcribeWindows(windows, {
    decoder,
    tokenizer,
    alignmentHeads,
    encode: (mel) => Promise.resolve(mel),
  });
  let step = await run.next();
  while (!step.done) step = await run.next();
  assert.equal(step.value.language, "de");
  assert(Math.abs(step.value.detection!.probabilities.de - 1 / (1 + Math.exp(-2))) < 1e-6);
  assert.deepEqual(asked, ["opening", "0+1500", "1000+500"]);
  assert.deepEqual(decoder.windows[0].map(({ tokens }) => tokens), [[special.sot]]);
  assert.equal(decoder.windows[1][0].tokens[1], special.languages.get("de"));
});

Deno.test("transcribeWindows() detects the language of each window if multilingual", async () => {
  const speaking = (code: string, ...tokens: number[]) => {
    const [first, ...others] = writing([at(0), ...tokens, at(30)]);
    return [{ ...first, [special.languages.get(code)!]: 2 }, ...others];
  };
  const { segments, decoder, summary } = await transcribe([speaking("de", WORD), speaking("en", WORD)], {
    frames: 6000,
    language: null,
    multilingual: true,
  });
  assert.deepEqual(segments.map(({ language }) => language), ["de", "en"]);
  assert.equal(summary.language, "de");
  const started = decoder.windows.map((calls) => calls[1].tokens[calls[1].tokens.indexOf(special.sot) + 1]);
  assert.deepEqual(started, [special.languages.get("de"), special.languages.get("en")]);
  const { segments: plain } = await transcribe([writing([at(0), WORD, at(30)])]);
  assert.equal("language" in plain[0], false);
});

Deno.test("transcribeWindows() looks ahead for the language where several windows vote", async () => {
  const german: Scripted = { [special.languages.get("de")!]: 0.1 };
  const english: Scripted = { [special.languages.get("en")!]: 0.1 };
  const words = writing([at(0), WORD, at(30)]);
  const decoder = new ScriptedDecoder(tokenizer, [[english], [german], [german], words]);
  const asked: string[] = [];
  const reading = (name: string): MelWindows & AsyncDisposable => ({
    contentFrames: 9000,
    window: (seek) => (asked.push(`${name} ${seek}`), Promise.resolve(new Float32Array(0))),
    again: () => reading("ahead"),
    [Symbol.asyncDispose]: () => (asked.push(`${name} ended`), Promise.resolve()),
  });
  const model = {
    decoder,
    tokenizer,
    alignmentHeads: [],
    encode: (mel: Float32Array<ArrayBuffer>) => Promise.resolve(mel),
  };
  const options = { languageDetectionSegments: 3, languageDetectionThreshold: 0.9 };
  const run = transcribeWindows(reading("main"), model, options);
  await run.next();
  assert.deepEqual(asked, ["ahead 0", "ahead 3000", "ahead 6000", "ahead ended", "main 0"]);
  assert.equal(decoder.windows[3][0].tokens[1], special.languages.get("de"));
  await run.return(undefined as never);
});

Deno.test("transcribeWindows() shows hot words before the previous text, both cut to half the context", async () => {
  const words = writing([at(0), WORD, at(30)]);
  const hot = tokenizer.encode(" kitchen");
  const { decoder } = await transcribe([words, words], { frames: 6000, hotwords: "kitchen" });
  assert.deepEqual(promptOf(decoder, 0), [special.prev, ...hot]);
  assert.deepEqual(promptOf(decoder, 1), [special.prev, ...hot, at(0), WORD, at(30)]);
  const warnings: Warning[] = [];
  const long = await transcribe([words, words], {
    frames: 6000,
    hotwords: "the ".repeat(300),
    onWarning: (warning) => warnings.push(warning),
  });
  assert.deepEqual(promptOf(long.decoder, 1), [special.prev, ...new Array(223).fill(WORD)]);
  assert.match(warnings[0].message, /hotwords has 300 tokens and room for 223: only its beginning counts/);
});

Deno.test("transcribeWindows() cuts a prefix that leaves no room for a text", async () => {
  const warnings: Warning[] = [];
  const { decoder } = await transcribe([writing([at(0)])], {
    prefix: "the ".repeat(500),
    initialPrompt: "the ".repeat(300),
    onWarning: (warning) => warnings.push(warning),
  });
  assert.equal(decoder.windows[0][0].tokens.length, 446); // 224 of the prompt, 3 to start, 219 of the prefix
  assert.deepEqual(warnings.map(({ code }) => code), ["W_OPTION", "W_OPTION"]);
});

Deno.test("transcribeWindows() tries again where the text is repetitive, and shows it to nobody if it stays so", async () => {
  const loop = writing([at(0), ...new Array(100).fill(WORD), at(30)]);
  const { segments, decoder } = await transcribe([loop, []], { frames: 6000 });
  const starts = decoder.windows[0].filter(({ position }) => position === 0).length;
  assert.equal(starts, 6);
  assert.equal(segments[0].temperature, 1);
  assert.deepEqual(promptOf(decoder, 1), []);
  const lenient = await transcribe([loop], { compressionRatioThreshold: null });
  assert.equal(lenient.segments[0].temperature, 0);
});

Deno.test("transcribeWindows() asks nothing of the model for a recording without a frame", async () => {
  const { segments, decoder, summary } = await transcribe([], { frames: 0, language: null });
  assert.deepEqual([segments, decoder.windows], [[], []]);
  assert.deepEqual(summary, { text: "", language: null, detection: null, isComplete: true });
});

Deno.test("transcribeWindows() feeds the prompt once and then a token a step", async () => {
  const { decoder } = await transcribe([writing([at(0), WORD, at(2)])], { initialPrompt: "kitchen" });
  const [first, ...others] = decoder.windows[0];
  const start = first.tokens.indexOf(special.sot);
  assert.deepEqual(first.rows, [start, first.tokens.length - 1]);
  const written = [at(0), WORD, at(2)];
  assert.deepEqual(
    others,
    written.map((token, i) => ({ tokens: [token], position: first.tokens.length + i, rows: [0] })),
  );
});

Deno.test("transcribeWindows() ends a window where the context or sampleLen is full", async () => {
  const endless = writing([at(0), ...new Array(500).fill(WORD)]);
  const short = await transcribe([endless], { sampleLen: 5 });
  assert.equal(short.segments[0].tokens.length, 5);
  const full = await transcribe([endless], { sampleLen: 448 });
  // 448 positions less 3 of the prompt, and the last token, which needs none.
  assert.equal(full.segments[0].tokens.length, 446);
  assert.equal(full.decoder.windows[0].at(-1)!.position, 447);
});

Deno.test("transcribeWindows() stops between two tokens when aborted", async () => {
  const controller = new AbortController();
  const words = writing([at(0), WORD, at(30)]);
  const onProgress = () => controller.abort(new Error("enough"));
  await assert.rejects(
    transcribe([words, words], { frames: 6000, signal: controller.signal, onProgress }),
    (error) =>
      error instanceof SottoError && error.code === "E_ABORTED" &&
      (error.cause as Error).message === "enough",
  );
});

Deno.test("transcribeWindows() finishes the window in progress when asked to stop", async () => {
  const controller = new AbortController();
  const words = writing([at(0), WORD, at(30)]);
  const onProgress = () => controller.abort();
  const { segments, summary } = await transcribe([words, words], {
    frames: 6000,
    stop: controller.signal,
    onProgress,
  });
  assert.equal(segments.length, 1);
  assert.deepEqual([summary.text, summary.isComplete], [" the", false]);
});

Deno.test("transcribeWindows() disposes of its session when the caller stops listening", async () => {
  const decoder = new ScriptedDecoder(tokenizer, [writing([at(0), WORD, at(30)])]);
  const windows: MelWindows = { contentFrames: 9000, window: () => Promise.resolve(new Float32Array(0)) };
  const encode = (mel: Float32Array<ArrayBuffer>) => Promise.resolve(mel);
  const model = { decoder, tokenizer, alignmentHeads, encode };
  for await (const _segment of transcribeWindows(windows, model, { language: "en" })) break;
  assert.equal(decoder.open_, 0);
});

Deno.test("transcribeWindows() reports progress up to the end, never beyond", async () => {
  const seen: Progress[] = [];
  const words = writing([at(0), WORD, at(29), at(29)]);
  await transcribe([words, words], { frames: 4500, onProgress: (progress) => seen.push(progress) });
  assert.deepEqual(seen.map(({ framesDone }) => framesDone), [2900, 4500]);
  assert(seen.every(({ framesTotal }) => framesTotal === 4500));
});

Deno.test("transcribeWindows() refuses wrong options before it asks for a window", async () => {
  await assert.rejects(transcribe([], { temperature: 3 }), { code: "E_OPTION" });
});

Deno.test("transcribeWindows() writes equal texts for equal seeds, and others for others", async () => {
  const undecided: Scripted[] = [{ [at(0)]: LIKELY }, ...new Array(30).fill({})];
  const run = async (seed: number) => {
    const { segments } = await transcribe([undecided], {
      temperature: 1,
      seed,
      sampleLen: 12,
      suppressTokens: "",
    });
    return segments.map(({ tokens }) => tokens);
  };
  assert.deepEqual(await run(1), await run(1));
  assert.notDeepEqual(await run(1), await run(2));
});

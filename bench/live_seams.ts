/**
 * Live captions of streams with varied pauses: sentences lost or doubled, words wrong, and whether the closing transcript is
 * the file's. Time is the stream's own: a reading each half second of audio, however long it takes.
 *
 *     deno run -A bench/live_seams.ts [--model models/demo] [--streams 12] [--seconds 50] [--shortest 0.1] [--longest 0.4]
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { errorsBetween } from "../evaluate/errors_between.ts";
import { paced } from "./paced_samples.ts";
import { loadModel } from "../whisper_model.ts";
import { joinedSentences, sentencesAstray } from "./joined_sentences.ts";

const { values } = parseArgs({
  options: {
    model: { type: "string", default: fileURLToPath(new URL("../models/demo", import.meta.url)) },
    streams: { type: "string", default: "12" },
    seconds: { type: "string", default: "50" },
    shortest: { type: "string", default: "0.1" },
    longest: { type: "string", default: "0.4" },
  },
});

/** Seconds of audio that come at once: each stream takes one of them. */
const CHUNKS = [0.1, 0.5, 1];
const wordsOf = (text: string): string[] => text.toLowerCase().match(/[\p{L}\p{N}']+/gu) ?? [];

async function main(): Promise<void> {
  using model = await loadModel(values.model, { precision: "f32" });
  for (let seed = 1; seed <= Number(values.streams); seed++) {
    const pauses = [Number(values.shortest), Number(values.longest)] as const;
    const { samples, texts } = await joinedSentences({ seed, pauses, seconds: Number(values.seconds) });
    const file = await model.transcribe(samples, { language: "en" });
    const stream = paced(samples, CHUNKS[seed % CHUNKS.length]);
    const run = model.transcribeStream(stream, { language: "en" });
    let step = await run.next();
    for (; !step.done; step = await run.next()) stream.answered();
    const { text, captions } = step.value;
    const wrong = (written: string) => {
      const { substitutions, deletions, insertions } = errorsBetween(
        texts.flatMap(wordsOf),
        wordsOf(written),
      );
      return substitutions + deletions + insertions;
    };
    const { lost, added } = sentencesAstray(texts, captions.text);
    console.log(
      `stream ${seed}: ${texts.flatMap(wordsOf).length} words, wrong in captions ${
        wrong(captions.text)
      }, in the file ` +
        `${wrong(file.text)}; lost [${lost.join("; ")}], added [${added.join("; ")}]; closing transcript ` +
        (text === file.text ? "the file's" : "NOT the file's"),
    );
  }
}

if (import.meta.main) await main();

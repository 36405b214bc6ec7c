/**
 * Live input at the pace of a microphone: how long after it was spoken a word is shown, and when it is certain; and how
 * the transcript differs from that of the file.
 *
 *     deno run -A bench/live_latency.ts [RECORDING.wav] [--model models/demo]
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { loadAudio } from "../audio/mod.ts";
import { errorsBetween } from "../evaluate/errors_between.ts";
import { SAMPLE_RATE } from "../mel/mod.ts";
import { loadModel } from "../whisper_model.ts";

const ROOT = new URL("../", import.meta.url);
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { model: { type: "string", default: fileURLToPath(new URL("models/demo", ROOT)) } },
});
const recording = positionals[0] ?? fileURLToPath(new URL("models/demo/audio/08_commands.wav", ROOT));

/** Samples that a microphone hands out at once: 0.1 s. */
const CHUNK = SAMPLE_RATE / 10;

const now = (): number => performance.now() / 1000;
const wordsOf = (text: string): string[] => text.trim().split(/\s+/).filter((word) => word !== "");

/** Samples, each chunk when it would have been spoken. */
async function* spoken(samples: Float32Array, begun: number): AsyncGenerator<Float32Array> {
  for (let at = 0; at < samples.length; at += CHUNK) {
    const chunk = samples.subarray(at, at + CHUNK);
    const due = begun + (at + chunk.length) / SAMPLE_RATE;
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, 1000 * (due - now()))));
    yield chunk;
  }
}

/** What was on the screen at a time. */
interface Look {
  readonly at: number;
  readonly certain: number;
  readonly words: readonly string[];
  readonly lag: number;
}

function percentiles(seconds: readonly number[]): string {
  const sorted = seconds.toSorted((a, b) => a - b);
  const at = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))].toFixed(2);
  return `median ${at(0.5)} s, 90 % ${at(0.9)} s, most ${sorted.at(-1)!.toFixed(2)} s`;
}

async function main(): Promise<void> {
  using model = await loadModel(values.model);
  const samples = await loadAudio(recording);
  const file = await model.transcribe(samples, { language: "en" });
  const looks: Look[] = [];
  const begun = now();
  const run = model.transcribeStream(spoken(samples, begun), { language: "en" });
  let committed = "";
  let step = await run.next();
  for (; !step.done; step = await run.next()) {
    const at = now() - begun;
    committed += step.value.committed;
    const words = wordsOf(committed + step.value.partial);
    looks.push({ at, certain: wordsOf(committed).length, words, lag: at - step.value.heard });
  }
  const { text, captions: { text: shownText, segments } } = step.value;
  const finals: { word: string; end: number }[] = [];
  for (const { word, end } of segments.flatMap(({ words = [] }) => words)) {
    if (word.startsWith(" ") || finals.length === 0) finals.push({ word: word.trim(), end });
    else finals.push({ word: finals.pop()!.word + word, end }); // twenty-four is one word of the text
  }
  const shown: number[] = [];
  const certain: number[] = [];
  for (const [i, { word, end }] of finals.entries()) {
    // Shown for good: from the last look on at which it was another word, or none.
    const since = looks.findLastIndex(({ words }) => words[i] !== word) + 1;
    if (since < looks.length) shown.push(looks[since].at - end);
    const first = looks.find((look) => look.certain > i);
    if (first) certain.push(first.at - end);
  }
  console.log(
    `${
      (samples.length / SAMPLE_RATE).toFixed(1)
    } s of audio, ${finals.length} words, ${looks.length} readings`,
  );
  console.log(`behind the microphone after a reading: ${percentiles(looks.map(({ lag }) => lag))}`);
  console.log(`a word shown for good after its end: ${percentiles(shown)}`);
  console.log(`a word certain after its end: ${percentiles(certain)}`);
  for (const [name, written] of [["closing transcript", text], ["captions", shownText]]) {
    const { substitutions, deletions, insertions } = errorsBetween(wordsOf(file.text), wordsOf(written));
    console.log(
      `${name} against the file's: ${substitutions} words replaced, ${deletions} missing, ${insertions} more`,
    );
  }
  console.log(`file: ${file.text}\ncaptions: ${shownText}`);
}

if (import.meta.main) await main();

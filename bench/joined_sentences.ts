/**
 * Streams of speech put together of the bundled recordings' sentences, in varied order, loudness and pauses; and which of
 * the sentences a transcript has lost, and what it has added.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { errorsBetween } from "../evaluate/errors_between.ts";
import { SAMPLE_RATE } from "../mel/mod.ts";

/** English recordings of the demo model: PCM16, 16 kHz, mono, with a plain header. */
const RECORDINGS: readonly string[] = ["01_command", "08_commands", "09_long"];
const HEADER_BYTES = 44;
const FOLDER = new URL("../models/demo/audio/", import.meta.url);

/** Seconds kept around a sentence, so that its sounds do not begin or end at once. */
const MARGIN = 0.05;
/** How much softer than it is a sentence may be. */
const SOFTEST = 0.5;
/** A microphone is never silent: noise 80 dB below full scale. */
const NOISE = 2e-4;

/** What a sentence lost or added costs, where one of which every word is misread costs 1. */
const ASTRAY = 0.75;

/** A sentence as it is spoken and written. */
interface Sentence {
  readonly text: string;
  readonly samples: Float32Array;
}

/** What is said in a stream. */
export interface JoinedSentences {
  /** F32, 16 kHz. */
  readonly samples: Float32Array<ArrayBuffer>;
  /** In order. */
  readonly texts: readonly string[];
}

/** How a stream is put together. */
export interface Joining {
  /** Other streams for other numbers. */
  readonly seed: number;
  /** Shortest and longest pause in seconds. */
  readonly pauses: readonly [number, number];
  /** Least length in seconds. */
  readonly seconds: number;
}

/** Puts a stream together; the same in every run. */
export async function joinedSentences({ seed, pauses, seconds }: Joining): Promise<JoinedSentences> {
  const sentences = await bundledSentences();
  const draw = draws(seed);
  const parts: Float32Array[] = [];
  const texts: string[] = [];
  for (let length = 0; length < seconds * SAMPLE_RATE;) {
    const sentence = sentences[Math.floor(draw() * sentences.length)];
    const gain = SOFTEST + (1 - SOFTEST) * draw();
    const pause = pauses[0] + (pauses[1] - pauses[0]) * draw();
    parts.push(new Float32Array(Math.round(pause * SAMPLE_RATE)), sentence.samples.map((x) => x * gain));
    texts.push(sentence.text);
    length += parts.at(-2)!.length + sentence.samples.length;
  }
  const samples = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    samples.set(part, at);
    at += part.length;
  }
  return { samples: samples.map((x) => x + NOISE * (draw() - 0.5)), texts };
}

/** Sentences in which a text differs from what was said by more than misheard words. */
export interface Astray {
  /** What was said and is not written. */
  readonly lost: readonly string[];
  /** What is written and was not said, or not so often. */
  readonly added: readonly string[];
}

/**
 * Pairs the sentences of a text, which end in full stops and question marks, with those that were said, in order, so that as
 * few words as possible differ: a sentence that is misread, even wholly, is neither lost nor added.
 */
export function sentencesAstray(texts: readonly string[], written: string): Astray {
  const got = written.match(/[^.?]*[.?]|[^.?]+$/g)?.map((text) => text.trim()) ?? [];
  const cost: number[][] = [Array.from({ length: got.length + 1 }, (_, j) => j * ASTRAY)];
  const misread = (i: number, j: number) => cost[i - 1][j - 1] + difference(texts[i - 1], got[j - 1]);
  for (let i = 1; i <= texts.length; i++) {
    cost.push([i * ASTRAY]);
    for (let j = 1; j <= got.length; j++) {
      cost[i].push(Math.min(misread(i, j), cost[i - 1][j] + ASTRAY, cost[i][j - 1] + ASTRAY));
    }
  }
  const lost: string[] = [];
  const added: string[] = [];
  for (let i = texts.length, j = got.length; i > 0 || j > 0;) {
    if (i > 0 && j > 0 && cost[i][j] === misread(i, j)) {
      i--;
      j--;
    } else if (i > 0 && cost[i][j] === cost[i - 1][j] + ASTRAY) lost.unshift(texts[--i]);
    else added.unshift(got[--j]);
  }
  return { lost, added };
}

/** The share of words that differ between two sentences. */
function difference(said: string, written: string): number {
  const [a, b] = [words(said), words(written)];
  const { substitutions, deletions, insertions } = errorsBetween(a, b);
  return (substitutions + deletions + insertions) / Math.max(1, a.length, b.length);
}

/** Without case and punctuation. */
const words = (text: string): string[] => text.toLowerCase().match(/[\p{L}\p{N}']+/gu) ?? [];

async function bundledSentences(): Promise<Sentence[]> {
  const read = (name: string) => Deno.readFile(fileURLToPath(new URL(name, FOLDER)));
  const truth: Record<string, { start: number; end: number; text: string }[]> = JSON.parse(
    new TextDecoder().decode(await read("truth.json")),
  );
  const all = await Promise.all(RECORDINGS.map(async (name) => {
    const pcm = new Int16Array((await read(`${name}.wav`)).buffer, HEADER_BYTES);
    return truth[`${name}.wav`].map(({ start, end, text }): Sentence => {
      const [from, to] = [start - MARGIN, end + MARGIN].map((seconds) => Math.round(seconds * SAMPLE_RATE));
      return { text, samples: Float32Array.from(pcm.subarray(from, to), (sample) => sample / 32768) };
    });
  }));
  return all.flat();
}

/** 0…1, the same in every run: xorshift32 (Marsaglia 2003) from a state that the seed is spread over (Knuth). */
function draws(seed: number): () => number {
  let state = (Math.imul(seed, 2_654_435_761) + 12_345) | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

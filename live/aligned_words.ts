/**
 * When the words of a finished phrase are spoken.
 *
 * @module
 */

import type { Task, WindowDecoder, Word } from "../decoder/mod.ts";
import { alignWords } from "../decoder/words/align_words.ts";
import type { AlignedWord } from "../decoder/words/word.ts";
import { APPEND_PUNCTUATIONS, mergePunctuation, PREPEND_PUNCTUATIONS } from "../decoder/words/punctuation.ts";
import type { TranscriptionParts } from "../transcribe.ts";
import type { ReadWord } from "./agreement.ts";

/** A phrase whose features the decoder holds. */
interface Phrase {
  readonly words: readonly ReadWord[];
  readonly language: string;
  readonly task: Task;
  /** Frames (10 ms) that hold audio. */
  readonly frames: number;
  readonly signal?: AbortSignal;
}

/** Mel frames of a window and of a second. */
const FRAMES_PER_WINDOW = 3000;
const FRAMES_PER_SECOND = 100;

/** Words with times in seconds from the phrase's start; punctuation goes with the words it belongs to. */
export async function alignedWords(
  parts: TranscriptionParts,
  decoder: WindowDecoder,
  phrase: Phrase,
): Promise<Word[]> {
  const aligned = await align(parts, decoder, phrase);
  mergePunctuation(aligned, PREPEND_PUNCTUATIONS, APPEND_PUNCTUATIONS);
  return aligned.filter(({ text }) => text !== "").map(({ text, start, end, probability }) => ({
    word: text,
    start,
    end: Math.max(start, end),
    probability,
  }));
}

/** How many of the words, from the first on, end before a time; in seconds from the phrase's start. */
export async function wordsBefore(
  time: number,
  parts: TranscriptionParts,
  decoder: WindowDecoder,
  phrase: Phrase,
): Promise<number> {
  const aligned = await align(parts, decoder, phrase);
  const late = aligned.findIndex(({ end }) => end > time);
  return late < 0 ? aligned.length : late;
}

async function align(
  { tokenizer, decoder: { dims }, alignmentHeads }: TranscriptionParts,
  decoder: WindowDecoder,
  { words, language, task, frames, signal }: Phrase,
): Promise<AlignedWord[]> {
  const { eot, noTimestamps } = tokenizer.special;
  const start = [...tokenizer.startSequence(language, task), noTimestamps];
  // The end takes a place as well.
  const text = words.flatMap(({ tokens }) => tokens).slice(0, dims.n_text_ctx - start.length - 1);
  if (text.length === 0) return [];
  const framesPerStep = FRAMES_PER_WINDOW / dims.n_audio_ctx;
  const alignment = await decoder.align([...start, ...text, eot], alignmentHeads, {
    start: start.length,
    positions: Math.max(1, Math.floor(frames / framesPerStep)),
    signal,
  });
  return alignWords({
    text,
    start,
    alignment,
    language,
    tokenizer,
    positionsPerSecond: FRAMES_PER_SECOND / framesPerStep,
  });
}

/**
 * When the words of a window's text are spoken.
 *
 * @module
 */

import type { TextAlignment } from "../../kernels/device.ts";
import type { Tokenizer } from "../tokenizer.ts";
import { splitWords } from "./split_words.ts";
import type { AlignedWord } from "./word.ts";

/** A text and what it is aligned by. */
export interface WordAlignment {
  /** Text tokens alone. */
  readonly text: readonly number[];
  /** Tokens before the text, `<|notimestamps|>` the last; behind it stands `<|endoftext|>`. */
  readonly start: readonly number[];
  /** What the device said of start, text and end. */
  readonly alignment: TextAlignment;
  /** Code; decides what a word is. */
  readonly language: string;
  readonly tokenizer: Tokenizer;
  /** Audio positions a second: 50. */
  readonly positionsPerSecond: number;
}

/**
 * Cuts the text into words, each beginning where its first token does.
 *
 * @returns Words in order, each beginning where the one before ends. Bytes at the end of the text that make no
 * character are left out.
 */
export function alignWords(task: WordAlignment): AlignedWord[] {
  const { text, start, tokenizer } = task;
  if (text.length === 0) return [];
  const { entries, probabilities } = task.alignment;
  const words: AlignedWord[] = [];
  let from = 0;
  for (const part of splitWords(tokenizer, [...text, tokenizer.special.eot], task.language).slice(0, -1)) {
    const to = from + part.tokens.length;
    const own = probabilities.subarray(start.length + from, start.length + to);
    words.push({
      ...part,
      start: entries[from] / task.positionsPerSecond,
      end: entries[to] / task.positionsPerSecond,
      probability: own.reduce((sum, probability) => sum + probability, 0) / own.length,
    });
    from = to;
  }
  return words;
}

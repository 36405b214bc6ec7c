/**
 * When the words of a window's text are spoken.
 *
 * @module
 */

import type { TextAlignment } from "../../kernels/device.ts";
import type { Tokenizer } from "../tokenizer.ts";
import { alignmentMatrix } from "./alignment_matrix.ts";
import { rowEntries } from "./dynamic_time_warping.ts";
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
  /** Audio positions of the model: n_audio_ctx. */
  readonly audioPositions: number;
  /** Those of the window that hold audio, 1 or more. */
  readonly positions: number;
  /** Audio positions a second: 50. */
  readonly positionsPerSecond: number;
}

/**
 * Times the words by dynamic time warping over the attention of the alignment heads: each token begins where the
 * path comes to the row of the token that it was written after.
 *
 * @returns Words in order, each beginning where the one before ends. Bytes at the end of the text that make no
 * character are left out.
 */
export function alignWords(task: WordAlignment): AlignedWord[] {
  const { text, start, tokenizer, positions, audioPositions: T } = task;
  if (text.length === 0) return [];
  const N = start.length + text.length + 1;
  const { scores, probabilities } = task.alignment;
  const H = scores.length / (N * T);
  const matrix = alignmentMatrix({ data: scores, heads: H, tokens: N, positions: T }, positions);
  // Row i is the query that token i of the text is written by, so rows begin one before the text and end with its last.
  const rows = text.length + 1;
  const first = start.length - 1;
  const cost = matrix.subarray(first * positions, (first + rows) * positions).map((value) => -value);
  const entries = rowEntries({ data: cost, rows, columns: positions });

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

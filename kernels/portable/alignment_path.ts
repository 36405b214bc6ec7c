/**
 * When the tokens of a text begin.
 *
 * @module
 */

import { alignmentMatrix, type HeadScores } from "./alignment_matrix.ts";
import { rowEntries } from "./dynamic_time_warping.ts";

/** What of the scores is looked at. */
export interface PathOptions {
  /** Tokens before the text, 1…tokens−1. */
  readonly start: number;
  /** Audio positions that hold audio: P, 1…T. */
  readonly positions: number;
}

/**
 * The cheapest way through the attention of all heads, by dynamic time warping: a token begins where the way comes to
 * the row of the token that it was written after.
 *
 * @returns Int32 [tokens − start]: the position of each token from `start` on; they never decrease.
 */
export function alignmentPath(
  scores: HeadScores,
  { start, positions: P }: PathOptions,
): Int32Array<ArrayBuffer> {
  const rows = scores.tokens - start;
  const first = start - 1;
  const matrix = alignmentMatrix(scores, P);
  const cost = matrix.subarray(first * P, (first + rows) * P).map((value) => -value);
  return rowEntries({ data: cost, rows, columns: P });
}

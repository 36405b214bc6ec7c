/**
 * JSON with all there is: tokens with their texts, words, probabilities of languages, the run's report.
 *
 * @module
 */

import type { TranscriptText } from "./transcript.ts";

/** Spells a token. */
export type TokenSpeller = (token: number) => string;

/**
 * The contents of a `.full.json` file: plain JSON, indented, under the names of the library's results. A number that is no
 * number is null.
 *
 * @param transcript Whatever else it holds (a run report, probabilities of languages) is written too.
 * @param spell The text of a token; without it tokens are written as ids alone.
 */
export function writeJsonFull(transcript: TranscriptText, spell?: TokenSpeller): string {
  const segments = transcript.segments.map((segment) => ({
    ...segment,
    tokens: spell === undefined
      ? segment.tokens
      : segment.tokens.map((token) => ({ id: token, text: spell(token) })),
  }));
  return `${JSON.stringify({ ...transcript, segments }, null, 2)}\n`;
}

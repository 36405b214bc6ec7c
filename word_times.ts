/**
 * The words of a transcript in one list.
 *
 * @module
 */

import type { Segment, Word } from "./decoder/mod.ts";
import { drawnBy } from "./notebook/display.ts";

/** Words with their times, in order: plain data, which a notebook shows as a timeline. */
export type WordTimes = readonly Word[];

/**
 * All words of segments; none where they were transcribed without `wordTimestamps`.
 *
 * @param transcript A transcript, or anything else that has segments.
 */
export function wordTimes(transcript: { readonly segments: readonly Segment[] }): WordTimes {
  return drawnWords(transcript.segments.flatMap(({ words }) => words ?? []));
}

/** Teaches a list of words to draw itself; the same list. */
export function drawnWords(words: WordTimes): WordTimes {
  return drawnBy(words, async (it) => (await import("./notebook/word_line.ts")).drawWords(it));
}

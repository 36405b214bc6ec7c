/**
 * A transcript against the truth: words, characters, times.
 *
 * @module
 */

import type { Segment } from "../decoder/mod.ts";
import { normalizeBasic } from "./basic_normalizer.ts";
import { normalizeEnglish } from "./english_normalizer.ts";
import { type ErrorCounts, errorsBetween } from "./errors_between.ts";
import type { TrueRecording } from "./manifest.ts";

/** What a transcript was found to be. */
export interface Judgement {
  readonly words: ErrorCounts;
  readonly characters: ErrorCounts;
  /** How far off starts and ends are of the sentences that have a segment of their own, in seconds. */
  readonly starts: readonly number[];
  readonly ends: readonly number[];
}

/** A text as it is compared, in words. */
export function comparedWords(text: string, language: string): string[] {
  const normalized = language === "en" ? normalizeEnglish(text) : normalizeBasic(text);
  return normalized.split(" ").filter((word) => word !== "");
}

/** Judges a transcript of a recording. */
export function judge(
  { text, segments }: { readonly text: string; readonly segments: readonly Segment[] },
  truth: TrueRecording,
): Judgement {
  const compared = (text: string) => comparedWords(text, truth.language);
  const written = compared(text);
  const spoken = compared(truth.text);
  const starts: number[] = [];
  const ends: number[] = [];
  let from = 0;
  for (const sentence of truth.sentences) {
    const same = compared(sentence.text).join(" ");
    const at = segments.findIndex((segment, i) => i >= from && compared(segment.text).join(" ") === same);
    if (at < 0) continue;
    starts.push(Math.abs(segments[at].start - sentence.start));
    ends.push(Math.abs(segments[at].end - sentence.end));
    from = at + 1;
  }
  return {
    words: errorsBetween(spoken, written),
    characters: errorsBetween([...spoken.join(" ")], [...written.join(" ")]),
    starts,
    ends,
  };
}

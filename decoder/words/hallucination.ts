/**
 * Words that a model makes up in silence, told by their times and probabilities; rules and thresholds are
 * openai-whisper's (`whisper/transcribe.py`, `hallucination_silence_threshold`).
 *
 * @module
 */

import { roundHalfEven } from "../rounding.ts";
import { framesToSeconds } from "../segments.ts";
import type { TimedSegment } from "./place_words.ts";
import { APPEND_PUNCTUATIONS, PREPEND_PUNCTUATIONS } from "./punctuation.ts";
import type { Word } from "./word.ts";

/** Mel frames a second. */
const FRAMES_PER_SECOND = 100;

/** Words of a segment that are looked at. */
const WORDS_LOOKED_AT = 8;

/** Words that are one of these say nothing about the others. */
const PUNCTUATION = PREPEND_PUNCTUATIONS + APPEND_PUNCTUATIONS;

/** How unlike speech a word is: improbable, or far shorter or longer than words are. 0: not at all. */
export function anomalyScore({ start, end, probability }: Word): number {
  const seconds = end - start;
  let score = 0;
  if (probability < 0.15) score += 1;
  if (seconds < 0.133) score += (0.133 - seconds) * 15;
  if (seconds > 2) score += seconds - 2;
  return score;
}

/** Whether a segment may be made up: its first words are, on the whole. */
export function isAnomalous(segment: Pick<TimedSegment, "words"> | undefined): boolean {
  if (segment === undefined || segment.words.length === 0) return false;
  const words = segment.words.filter(({ word }) => !PUNCTUATION.includes(word)).slice(0, WORDS_LOOKED_AT);
  const score = words.reduce((sum, word) => sum + anomalyScore(word), 0);
  return score >= 3 || score + 0.01 >= words.length;
}

/** A window's place and length, in frames. */
export interface WindowPlace {
  readonly seek: number;
  /** Frames that hold audio. */
  readonly frames: number;
  /** Frames of a whole window. */
  readonly windowFrames: number;
  /** Frames of the recording. */
  readonly contentFrames: number;
}

/** What to make of a window's segments. */
export interface SilenceSkip {
  /** How many segments are kept, from the first on. */
  readonly kept: number;
  /** Where to go on, a frame; null: where one would anyway. */
  readonly nextSeek: number | null;
  /** Nothing of the window counts: it is decoded again from `nextSeek` on. */
  readonly isRetried: boolean;
}

/**
 * Finds the segments that were made up around silence.
 *
 * @param segments With their words.
 * @param threshold Silence that counts, in seconds.
 * @param lastSpeech When the last word before the window ended, in seconds from the start of the recording.
 */
export function skipSilence(
  segments: readonly TimedSegment[],
  { seek, frames, windowFrames, contentFrames }: WindowPlace,
  { threshold, lastSpeech }: { readonly threshold: number; readonly lastSpeech: number },
): SilenceSkip {
  const offset = framesToSeconds(seek);
  const windowEnd = framesToSeconds(seek + windowFrames);
  const toFrames = (seconds: number) => roundHalfEven(seconds * FRAMES_PER_SECOND);

  const first = segments.find(({ words }) => words.length > 0);
  if (first && isAnomalous(first)) {
    const gap = first.start - offset;
    if (gap > threshold) return { kept: 0, nextSeek: seek + toFrames(gap), isRetried: true };
  }

  let spokenUntil = lastSpeech;
  for (const [i, segment] of segments.entries()) {
    if (segment.words.length === 0) continue;
    if (isAnomalous(segment)) {
      const next = segments.slice(i + 1).find(({ words }) => words.length > 0);
      const nextStart = next ? next.words[0].start : offset + framesToSeconds(frames);
      const silentBefore = segment.start - spokenUntil > threshold || segment.start < threshold ||
        segment.start - offset < 2;
      const silentAfter = nextStart - segment.end > threshold || isAnomalous(next) ||
        windowEnd - segment.end < 2;
      if (silentBefore && silentAfter) {
        const isLast = framesToSeconds(contentFrames) - segment.end < threshold;
        const nextSeek = isLast ? contentFrames : toFrames(Math.max(offset + 1, segment.start));
        return { kept: i, nextSeek, isRetried: false };
      }
    }
    spokenUntil = segment.end;
  }
  return { kept: segments.length, nextSeek: null, isRetried: false };
}

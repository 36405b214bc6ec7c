/**
 * Words go to the segments they belong to, and times that cannot be are mended; rules and thresholds are
 * openai-whisper's (`whisper/timing.py`, `add_word_timestamps`).
 *
 * @module
 */

import { roundHalfEven } from "../rounding.ts";
import type { Segment } from "../segments.ts";
import { mergePunctuation } from "./punctuation.ts";
import type { AlignedWord, Word } from "./word.ts";

/** Ends of sentences, after which a pause may come that would be counted to a word. */
const SENTENCE_ENDS = ".。!！?？";

/** Longest usual length of a word, in seconds: the median of all may be no higher. */
const LONGEST_MEDIAN = 0.7;

/** Seconds by which a segment's own time must contradict a word's to be preferred. */
const CONTRADICTION = 0.5;

/** A segment whose times and words are being found. */
export type TimedSegment = { -readonly [K in keyof Omit<Segment, "words">]: Segment[K] } & {
  words: { -readonly [K in keyof Word]: Word[K] }[];
};

/** What placing depends on. */
export interface Placing {
  /** Seconds from the start of the recording to that of the window. */
  readonly offset: number;
  /** Below it, tokens are text: `<|endoftext|>`. */
  readonly eot: number;
  /** When the last word before the window ended, in seconds from the start of the recording. */
  readonly lastSpeech: number;
  readonly prependPunctuations: string;
  readonly appendPunctuations: string;
}

/**
 * Gives segments their words, and mends the times of both.
 *
 * @param segments In order; filled in place.
 * @param aligned Words of all segments, in order; changed on the way.
 */
export function placeWords(
  segments: readonly TimedSegment[],
  aligned: AlignedWord[],
  options: Placing,
): void {
  const lengths = usualLengths(aligned);
  shortenAtSentenceEnds(aligned, lengths.longest);
  mergePunctuation(aligned, options.prependPunctuations, options.appendPunctuations);
  let { lastSpeech } = options;
  let next = 0;
  for (const segment of segments) {
    const wanted = segment.tokens.filter((token) => token < options.eot).length;
    for (let placed = 0; next < aligned.length && placed < wanted; next++) {
      const { text, tokens, start, end, probability } = aligned[next];
      placed += tokens.length;
      if (text === "") continue;
      const inRecording = (seconds: number) => roundHalfEven((options.offset + seconds) * 100) / 100;
      segment.words.push({ word: text, start: inRecording(start), end: inRecording(end), probability });
    }
    if (segment.words.length === 0) continue;
    shortenAfterPause(segment, lastSpeech, lengths);
    reconcile(segment, lengths.median);
    lastSpeech = segment.end;
  }
}

/** How long the words of a window are, in seconds. */
interface Lengths {
  readonly median: number;
  /** Above this a word is taken to hold a pause. */
  readonly longest: number;
}

function usualLengths(words: readonly AlignedWord[]): Lengths {
  const sorted = Float64Array.from(words, ({ start, end }) => end - start).filter((length) => length !== 0)
    .sort();
  const middle = sorted.length >> 1;
  const exact = sorted.length === 0
    ? 0
    : sorted.length % 2 === 1
    ? sorted[middle]
    : (sorted[middle - 1] + sorted[middle]) / 2;
  const median = Math.min(LONGEST_MEDIAN, exact);
  return { median, longest: median * 2 };
}

/** A long mark at a sentence's end loses its end, and a long word after one its start: a pause was counted to it. */
function shortenAtSentenceEnds(words: readonly AlignedWord[], longest: number): void {
  for (let i = 1; i < words.length; i++) {
    const word = words[i];
    if (!(word.end - word.start > longest)) continue;
    if (SENTENCE_ENDS.includes(word.text)) word.end = word.start + longest;
    else if (SENTENCE_ENDS.includes(words[i - 1].text)) word.start = word.end - longest;
  }
}

/** After a pause, the first two words of a segment are no longer than usual. */
function shortenAfterPause({ words }: TimedSegment, lastSpeech: number, { median, longest }: Lengths): void {
  const [first, second] = words;
  if (!(first.end - lastSpeech > median * 4)) return;
  const isLong = first.end - first.start > longest;
  const areLong = second !== undefined && second.end - first.start > longest * 2;
  if (!isLong && !areLong) return;
  if (second !== undefined && second.end - second.start > longest) {
    const boundary = Math.max(second.end / 2, second.end - longest);
    first.end = boundary;
    second.start = boundary;
  }
  first.start = Math.max(0, first.end - longest);
}

/** Words set the segment's times, except where the segment's own times contradict the length of the word at its edge. */
function reconcile(segment: TimedSegment, median: number): void {
  const first = segment.words[0];
  const last = segment.words[segment.words.length - 1];
  if (segment.start < first.end && segment.start - CONTRADICTION > first.start) {
    first.start = Math.max(0, Math.min(first.end - median, segment.start));
  } else {
    segment.start = first.start;
  }
  if (segment.end > last.start && segment.end + CONTRADICTION < last.end) {
    last.end = Math.max(last.start + median, segment.end);
  } else {
    segment.end = last.end;
  }
}

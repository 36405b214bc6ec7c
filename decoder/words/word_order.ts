/**
 * Times never go back.
 *
 * @module
 */

import type { TimedSegment } from "./place_words.ts";

/** Up to where times are taken, in seconds. */
export interface OrderState {
  /** By words. */
  readonly wordEnd: number;
  /** By segments. */
  readonly segmentEnd: number;
}

/**
 * Moves the times of a recording's words forward where they would begin before the word before them ends. Mending
 * long words can do that, across segments and windows; openai-whisper leaves it so.
 */
export class WordOrder {
  #wordEnd = 0;
  #segmentEnd = 0;

  /** How far it is. */
  get state(): OrderState {
    return { wordEnd: this.#wordEnd, segmentEnd: this.#segmentEnd };
  }

  set state({ wordEnd, segmentEnd }: OrderState) {
    this.#wordEnd = wordEnd;
    this.#segmentEnd = segmentEnd;
  }

  /** Puts the times of segments, which follow those given before, in order, in place. */
  apply(segments: readonly TimedSegment[]): void {
    for (const segment of segments) {
      const first = segment.words.at(0);
      const last = segment.words.at(-1);
      const startsWithWord = segment.start === first?.start;
      const endsWithWord = segment.end === last?.end;
      for (const word of segment.words) {
        word.start = Math.max(word.start, this.#wordEnd);
        word.end = Math.max(word.end, word.start);
        this.#wordEnd = word.end;
      }
      if (startsWithWord) segment.start = first!.start;
      if (endsWithWord) segment.end = last!.end;
      segment.start = Math.max(segment.start, this.#segmentEnd);
      segment.end = Math.max(segment.end, segment.start);
      this.#segmentEnd = segment.end;
    }
  }
}

/**
 * Words and their times.
 *
 * @module
 */

/** A word of a segment; plain data. */
export interface Word {
  /** As the text spells it, with the space that precedes it and the punctuation that belongs to it. */
  readonly word: string;
  /** Seconds from the start of the recording; never before the end of the word before. */
  readonly start: number;
  /** Seconds from the start of the recording; never before `start`. */
  readonly end: number;
  /** Mean probability of its tokens, 0…1. */
  readonly probability: number;
}

/** A word of a window while its times are worked on. */
export interface AlignedWord {
  /** Empty where the word was merged into a neighbour. */
  text: string;
  /** Empty where the word was merged into a neighbour. */
  tokens: readonly number[];
  /** Seconds from the start of the window. */
  start: number;
  /** Seconds from the start of the window. */
  end: number;
  readonly probability: number;
}

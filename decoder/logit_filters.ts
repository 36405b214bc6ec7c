/**
 * The rules that forbid tokens before one is chosen.
 *
 * @module
 */

import type { LogitRow } from "./logit_row.ts";
import type { SpecialTokens } from "./special_tokens.ts";

/** Forbids tokens, or changes how likely they are. One that forbids all but `<|endoftext|>` ends the text. */
export interface LogitFilter {
  /**
   * Changes the row before a token is chosen.
   *
   * @param row Logits of the next token.
   * @param written Tokens written so far in this window, the prompt not among them.
   */
  apply(row: LogitRow, written: readonly number[]): void;
}

/** Forbids a transcript to begin with a space or to be empty. */
export class SuppressBlank implements LogitFilter {
  readonly #tokens: readonly number[];

  /**
   * Keeps the list.
   *
   * @param blank Tokens of a space, and `<|endoftext|>`.
   */
  constructor(blank: readonly number[]) {
    this.#tokens = blank;
  }

  /** Applies at the first token only. */
  apply(row: LogitRow, written: readonly number[]): void {
    if (written.length > 0) return;
    for (const token of this.#tokens) row.forbid(token);
  }
}

/** Forbids a list of tokens always. */
export class SuppressTokens implements LogitFilter {
  readonly #tokens: readonly number[];

  /**
   * Keeps the list.
   *
   * @param tokens Ids to forbid.
   */
  constructor(tokens: readonly number[]) {
    this.#tokens = tokens;
  }

  /** Applies at every token. */
  apply(row: LogitRow, _written: readonly number[]): void {
    for (const token of this.#tokens) row.forbid(token);
  }
}

/**
 * Makes times come in order and in pairs: the transcript begins with a time; the time that ends a segment is
 * followed by the one that begins the next, or by the end; times do not decrease, and no segment has length zero.
 * Where all times together are likelier than any one token, it must be a time.
 */
export class TimestampRules implements LogitFilter {
  readonly #special: SpecialTokens;
  readonly #lastInitial: number;

  /**
   * Keeps what the rules depend on.
   *
   * @param special Ids of the vocabulary.
   * @param maxInitialIndex The latest first time in steps of 20 ms, or null for any.
   */
  constructor(special: SpecialTokens, maxInitialIndex: number | null) {
    this.#special = special;
    this.#lastInitial = maxInitialIndex === null ? Infinity : special.timestampBegin + maxInitialIndex;
  }

  /** Applies at every token. */
  apply(row: LogitRow, written: readonly number[]): void {
    const { eot, noTimestamps, timestampBegin } = this.#special;
    row.forbid(noTimestamps);

    const n = written.length;
    const afterTime = n >= 1 && written[n - 1] >= timestampBegin;
    const afterPair = n < 2 || written[n - 2] >= timestampBegin; // the first time has no partner
    if (afterTime && afterPair) row.forbidRange(timestampBegin, row.size);
    else if (afterTime) row.forbidRange(0, eot);

    const last = lastAtLeast(timestampBegin, written);
    if (last !== null) {
      // The end of a segment may be repeated as the start of the next; an end must be later than its start.
      const least = afterTime && !afterPair ? last : last + 1;
      row.forbidRange(timestampBegin, least);
    }

    if (n === 0) {
      row.forbidRange(0, timestampBegin);
      row.forbidRange(Math.min(this.#lastInitial + 1, row.size), row.size);
    }

    if (timesOutweigh(row, row.size - timestampBegin)) row.forbidRange(0, timestampBegin);
  }
}

function lastAtLeast(least: number, tokens: readonly number[]): number | null {
  for (let i = tokens.length - 1; i >= 0; i--) if (tokens[i] >= least) return tokens[i];
  return null;
}

/**
 * Whether log Σ exp over the times exceeds the highest logit of all else. Both would be reduced by the same
 * normalizer to become log-probabilities, so it is left out.
 */
function timesOutweigh(row: LogitRow, times: number): boolean {
  const text = row.text.highest;
  const most = row.times.highest;
  // Nearly always one of these two decides without an exponential: max ≤ log Σ exp ≤ max + log n.
  if (most > text) return true;
  if (most + Math.log(times) <= text) return false;
  return row.logSumOfTimes() > text;
}

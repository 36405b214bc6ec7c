/**
 * Rules against repetition, off by default: faster-whisper's, as its engine CTranslate2 defines them. Both look at
 * the tokens of this window alone, times among them.
 *
 * @module
 */

import type { LogitFilter } from "./logit_filters.ts";
import type { LogitRow } from "./logit_row.ts";

/** Makes what was written before less likely (Keskar et al. 2019, "CTRL", section 4.1). */
export class RepetitionPenalty implements LogitFilter {
  readonly #penalty: number;

  /**
   * Keeps the penalty.
   *
   * @param penalty Above 0; above 1: discourages, below: encourages.
   */
  constructor(penalty: number) {
    this.#penalty = penalty;
  }

  /** Divides positive logits and multiplies negative ones, once for a token however often it was written. */
  apply(row: LogitRow, written: readonly number[]): void {
    for (const token of new Set(written)) {
      const logit = row.at(token);
      row.set(token, logit < 0 ? logit * this.#penalty : logit / this.#penalty);
    }
  }
}

/** Forbids to write the same n tokens in a row twice. */
export class NoRepeatNgrams implements LogitFilter {
  readonly #n: number;

  /**
   * Keeps the length.
   *
   * @param n At least 1.
   */
  constructor(n: number) {
    this.#n = n;
  }

  /** Forbids each token that came after the last n − 1 tokens before. */
  apply(row: LogitRow, written: readonly number[]): void {
    const before = this.#n - 1;
    const tail = written.length - before;
    for (let start = 0; start < tail; start++) {
      let same = 0;
      while (same < before && written[start + same] === written[tail + same]) same++;
      if (same === before) row.forbid(written[start + before]);
    }
  }
}

/**
 * Texts in which a model is caught repeating itself.
 *
 * @module
 */

import type { WindowResult } from "./decode.ts";
import type { LogitFilter } from "./logit_filters.ts";
import type { LogitRow } from "./logit_row.ts";
import type { Tokenizer } from "./tokenizer.ts";
import { strip } from "./whitespace.ts";

/** Shorter repetitions are let pass: people do say "no, no, no, no, no, no". */
const LEAST_TOKENS = 24;
/** The longest part that is looked for; longer ones repeat within a window three times at most. */
const LONGEST_PART = 48;

/** A part that a text ends with again and again. */
export interface Loop {
  /** Index of the token behind the part's first occurrence. */
  readonly firstEnd: number;
  /** Tokens of the part. */
  readonly length: number;
}

/**
 * The shortest part that the text ends with at least `times` times in a row; null if there is none.
 *
 * @param tokens Text tokens.
 */
export function loopAtEnd(tokens: readonly number[], times: number): Loop | null {
  const { length: end } = tokens;
  for (let length = 1; length <= LONGEST_PART && length * times <= end; length++) {
    let start = end - length;
    while (start > 0 && tokens[start - 1] === tokens[start - 1 + length]) start--;
    const repeated = end - start;
    if (repeated >= length * times && repeated >= LEAST_TOKENS) return { firstEnd: start + length, length };
  }
  return null;
}

/** Ends a text that repeats itself. */
export class EndLoops implements LogitFilter {
  readonly #times: number;
  readonly #eot: number;
  readonly #timestampBegin: number;

  /**
   * Keeps what it looks for.
   *
   * @param times How often a part must come in a row.
   */
  constructor(
    times: number,
    { eot, timestampBegin }: { readonly eot: number; readonly timestampBegin: number },
  ) {
    this.#times = times;
    this.#eot = eot;
    this.#timestampBegin = timestampBegin;
  }

  /** Forbids all but the end once the text ends in a loop; times in between do not count. */
  apply(row: LogitRow, written: readonly number[]): void {
    if (written.length < LEAST_TOKENS) return;
    if (loopAtEnd(written.filter((token) => token < this.#timestampBegin), this.#times) === null) return;
    row.forbidRange(0, this.#eot);
    row.forbidRange(this.#eot + 1, row.size);
  }
}

/**
 * A window's tokens up to the end of the first occurrence of what they repeat, with the time behind it if one
 * follows; null if they do not end in a loop.
 */
export function cutLoop(tokens: readonly number[], times: number, timestampBegin: number): number[] | null {
  const places = tokens.flatMap((token, i) => token < timestampBegin ? [i] : []);
  const loop = loopAtEnd(places.map((i) => tokens[i]), times);
  if (loop === null) return null;
  const end = places[loop.firstEnd - 1] + 1;
  return tokens.slice(0, tokens[end] >= timestampBegin ? end + 1 : end);
}

/**
 * The result itself; where it ends in a loop, another one with one occurrence of what it repeats.
 *
 * @param times How often a part must come in a row; null: loops are not looked for.
 */
export function withoutLoop(result: WindowResult, times: number | null, tokenizer: Tokenizer): WindowResult {
  if (times === null) return result;
  const tokens = cutLoop(result.tokens, times, tokenizer.special.timestampBegin);
  return tokens === null ? result : { ...result, tokens, text: strip(tokenizer.decode(tokens)) };
}

/**
 * How one token is taken out of the logits: the likeliest at temperature 0, drawn at random above.
 *
 * @module
 */

import type { LogitRow } from "./logit_row.ts";
import type { Random } from "./random.ts";

/** A token and its log-probability under the filtered logits, at temperature 1. */
export interface Choice {
  /** Id; null where no token was allowed, which ends the text. */
  readonly token: number | null;
  /** Natural logarithm. */
  readonly logprob: number;
}

/** Takes the next token. */
export type TokenChooser = (row: LogitRow) => Choice;

/** Takes the likeliest token. */
export const chooseLikeliest: TokenChooser = (row: LogitRow): Choice => choice(row, row.likeliest);

/** Draws a token with probability softmax(logits / temperature). */
export function chooseAtRandom(temperature: number, random: Random): TokenChooser {
  return (row) => choice(row, row.draw(temperature, random()));
}

function choice(row: LogitRow, token: number | null): Choice {
  return { token, logprob: token === null ? 0 : row.at(token) - row.logSum() };
}

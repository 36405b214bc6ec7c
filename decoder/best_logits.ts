/**
 * The highest few of a part of the logits, found in one pass.
 *
 * @module
 */

import type { LogitReader } from "../kernels/device.ts";

/** Ids `from…to)`. */
export interface Part {
  readonly from: number;
  readonly to: number;
}

/** The k highest logits of the part scanned last, in falling order; of equals the lower id first. */
export class BestLogits {
  /** How many there are: k, or fewer where fewer tokens are allowed. */
  count = 0;
  /** Int32 [k]: ids. */
  readonly tokens: Int32Array<ArrayBuffer>;
  /** F64 [k]: their logits. */
  readonly logits: Float64Array;

  /**
   * Makes room.
   *
   * @param most k, at least 1.
   */
  constructor(most: number) {
    this.tokens = new Int32Array(most);
    this.logits = new Float64Array(most);
  }

  /** The highest logit; −Infinity where no token is allowed. */
  get highest(): number {
    return this.count > 0 ? this.logits[0] : -Infinity;
  }

  /** Forgets what was found. */
  clear(): void {
    this.count = 0;
  }

  /**
   * Scans a part of the logits; −Infinity and NaN are passed over.
   *
   * @param reader Does it instead, with the same result.
   */
  scan(logits: Float32Array<ArrayBuffer>, part: Part, reader?: LogitReader): void {
    if (reader) {
      this.count = reader.best(logits, part, this.tokens);
      for (let i = 0; i < this.count; i++) this.logits[i] = logits[this.tokens[i]];
      return;
    }
    const { from, to } = part;
    this.count = 0;
    const last = this.tokens.length - 1;
    let least = -Infinity; // what a logit must exceed to come in
    for (let token = from; (token = firstAbove(least, logits, token, to)) < to; token++) {
      this.#insert(token, logits[token]);
      if (this.count > last) least = this.logits[last];
    }
  }

  #insert(token: number, logit: number): void {
    let at = this.count < this.tokens.length ? this.count++ : this.count - 1;
    for (; at > 0 && this.logits[at - 1] < logit; at--) {
      this.logits[at] = this.logits[at - 1];
      this.tokens[at] = this.tokens[at - 1];
    }
    this.logits[at] = logit;
    this.tokens[at] = token;
  }
}

/**
 * The first of `from…to)` whose logit is above `least`, or `to`. Four at a time: V8 may convert each F32 in a register
 * that waits for the conversion before, and with four of them the waiting overlaps.
 */
function firstAbove(least: number, logits: Float32Array, from: number, to: number): number {
  let token = from;
  for (; token + 4 <= to; token += 4) {
    const a = logits[token];
    const b = logits[token + 1];
    const c = logits[token + 2];
    const d = logits[token + 3];
    if (a > least || b > least || c > least || d > least) break;
  }
  while (token < to && !(logits[token] > least)) token++;
  return token;
}

/**
 * The logits of one next token: which are forbidden, which are the highest, and what they sum up to.
 *
 * A vocabulary has 51,865 logits, so each pass over them counts. The row finds the highest of the text tokens and of
 * the times apart: the rules of times compare the two, and what is chosen is one of them, so one pass serves both.
 * Nothing is allocated from token to token.
 *
 * @module
 */

import type { LogitReader } from "../kernels/device.ts";
import { BestLogits, type Part } from "./best_logits.ts";
import { sumOfWeights, weightOf } from "./exponential.ts";

/** A part of the vocabulary, and what is known of it. */
interface Span extends Part {
  readonly best: BestLogits;
  /** Whether `best` holds for the logits as they are. */
  known: boolean;
}

/** How a row is read. */
export interface LogitRowOptions {
  /** How many of the highest are wanted of it; default 1. */
  readonly most?: number;
  /** Who reads the logits; default TypeScript. What is found is the same, sums are within 1e-6 with either. */
  readonly logits?: LogitReader;
}

/** Logits F32 [V], changed in place; one row object serves every token of a window. */
export class LogitRow {
  readonly #text: Span;
  readonly #times: Span;
  readonly #reader: LogitReader | undefined;
  #logits: Float32Array<ArrayBuffer>;

  /**
   * Takes a first row.
   *
   * @param logits F32 [V]; see {@linkcode LogitRow.take}.
   * @param timestampBegin The first time's id; all ids below count as text.
   */
  constructor(
    logits: Float32Array<ArrayBuffer>,
    timestampBegin: number,
    { most = 1, logits: reader }: LogitRowOptions = {},
  ) {
    const V = logits.length;
    this.#text = { from: 0, to: timestampBegin, best: new BestLogits(most), known: false };
    this.#times = { from: timestampBegin, to: V, best: new BestLogits(most), known: false };
    this.#reader = reader;
    this.#logits = logits;
  }

  /** Takes the next row, of the same length. The row changes it. */
  take(logits: Float32Array<ArrayBuffer>): void {
    this.#logits = logits;
    this.#text.known = false;
    this.#times.known = false;
  }

  /** How many tokens there are, V. */
  get size(): number {
    return this.#logits.length;
  }

  /** The logit of a token; −Infinity: forbidden. */
  at(token: number): number {
    return this.#logits[token];
  }

  /** Changes a logit. */
  set(token: number, logit: number): void {
    this.#logits[token] = logit;
    this.#spanOf(token).known = false;
  }

  /** Forbids a token. */
  forbid(token: number): void {
    this.set(token, -Infinity);
  }

  /** Forbids the tokens `from…to)`. */
  forbidRange(from: number, to: number): void {
    if (to <= from) return;
    this.#logits.fill(-Infinity, from, to);
    for (const span of [this.#text, this.#times]) {
      if (to <= span.from || from >= span.to) continue;
      span.known = from <= span.from && to >= span.to;
      if (span.known) span.best.clear();
    }
  }

  /** The highest logits of text and special tokens. Valid until the row changes. */
  get text(): BestLogits {
    return this.#scanned(this.#text);
  }

  /** The highest logits of times. Valid until the row changes. */
  get times(): BestLogits {
    return this.#scanned(this.#times);
  }

  /** The highest logit of all; −Infinity where every token is forbidden. */
  get highest(): number {
    return Math.max(this.text.highest, this.times.highest);
  }

  /** The likeliest token, the first among equals; null where every token is forbidden. */
  get likeliest(): number | null {
    const { text, times } = this;
    const best = text.highest >= times.highest ? text : times;
    return best.count > 0 ? best.tokens[0] : null;
  }

  /** Calls `visit` with the likeliest tokens in falling order, as many as were asked for, or as are allowed. */
  forBest(visit: (token: number, logit: number) => void): void {
    const { text, times } = this;
    let left = text.tokens.length;
    for (let i = 0, j = 0; left > 0 && (i < text.count || j < times.count); left--) {
      const fromText = j >= times.count || (i < text.count && text.logits[i] >= times.logits[j]);
      if (fromText) visit(text.tokens[i], text.logits[i++]);
      else visit(times.tokens[j], times.logits[j++]);
    }
  }

  /** log Σ exp(logit) over all tokens, within 1e-6; −Infinity where every token is forbidden. */
  logSum(): number {
    const { highest } = this;
    return highest + Math.log(this.#sum(this.#text, highest) + this.#sum(this.#times, highest));
  }

  /** log Σ exp(logit) over the times, within 1e-6. */
  logSumOfTimes(): number {
    const { highest } = this.times;
    return highest + Math.log(this.#sum(this.#times, highest));
  }

  /**
   * Draws a token with probability softmax(logits / temperature); null where every token is forbidden.
   *
   * @param uniform A random number of [0, 1).
   */
  draw(temperature: number, uniform: number): number | null {
    const { highest } = this;
    const spans = [this.#text, this.#times];
    const sum = spans.reduce((sum, span) => sum + this.#weigh(span, highest, temperature), 0);
    let left = uniform * sum;
    for (const span of spans) {
      if (span.best.count === 0) continue;
      for (let token = span.from; token < span.to; token++) {
        left -= weightOf(this.#logits[token], highest, temperature);
        if (left < 0) return token;
      }
    }
    return this.likeliest; // where rounding leaves a rest
  }

  /** Σ exp(logit − highest) over a span. */
  #sum(span: Span, highest: number): number {
    if (!this.#reader) return this.#weigh(span, highest, 1);
    return this.#scanned(span).count === 0 ? 0 : this.#reader.sum(this.#logits, span, highest);
  }

  /** Σ exp((logit − highest) / temperature) over a span, in TypeScript: a seed draws alike wherever logits come from. */
  #weigh(span: Span, highest: number, temperature: number): number {
    if (this.#scanned(span).count === 0) return 0;
    return sumOfWeights(this.#logits, span, { highest, temperature });
  }

  #scanned(span: Span): BestLogits {
    if (!span.known) {
      span.best.scan(this.#logits, span, this.#reader);
      span.known = true;
    }
    return span.best;
  }

  #spanOf(token: number): Span {
    return token < this.#times.from ? this.#text : this.#times;
  }
}

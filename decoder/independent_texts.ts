/**
 * Writes one text or several, each going its own way and never back: greedy decoding and best-of sampling.
 *
 * @module
 */

import type { Hypothesis } from "./hypothesis.ts";
import type { LogitRow } from "./logit_row.ts";
import type { TokenChooser } from "./token_choice.ts";
import type { Continuation, TokenSearch } from "./token_search.ts";

/** A text and who writes it. */
interface Draft {
  readonly choose: TokenChooser;
  readonly tokens: number[];
  sumLogprob: number;
}

/** As many texts as there are choosers. A finished text is not decoded any further. */
export class IndependentTexts implements TokenSearch {
  readonly candidates = 1;
  readonly #eot: number;
  readonly #drafts: readonly Draft[];
  /** null before the first token: all begin as the same empty text. */
  #inProgress: readonly Draft[] | null = null;
  #next: { draft: Draft; token: number; source: number }[] = [];

  /**
   * Starts with nothing written.
   *
   * @param choosers One for each text.
   * @param eot Ends a text.
   */
  constructor(choosers: readonly TokenChooser[], eot: number) {
    this.#eot = eot;
    this.#drafts = choosers.map((choose) => ({ choose, tokens: [], sumLogprob: 0 }));
  }

  get inProgress(): readonly Hypothesis[] {
    return this.#inProgress ?? [{ tokens: [], sumLogprob: 0 }];
  }

  offer(index: number, row: LogitRow): void {
    const drafts = this.#inProgress ? [this.#inProgress[index]] : this.#drafts;
    for (const draft of drafts) {
      const { token, logprob } = draft.choose(row);
      draft.sumLogprob += logprob;
      if (token !== null && token !== this.#eot) this.#next.push({ draft, token, source: index });
    }
  }

  advance(): Continuation {
    const next = this.#next;
    for (const { draft, token } of next) draft.tokens.push(token);
    this.#inProgress = next.map(({ draft }) => draft);
    this.#next = [];
    return { tokens: next.map(({ token }) => token), sources: next.map(({ source }) => source) };
  }

  finish(): readonly Hypothesis[] {
    return this.#drafts;
  }
}

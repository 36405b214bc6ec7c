/**
 * Writes the likeliest few texts side by side, dropping those that fall behind, as openai-whisper's
 * `BeamSearchDecoder` does.
 *
 * @module
 */

import type { Hypothesis } from "./hypothesis.ts";
import type { LogitRow } from "./logit_row.ts";
import { roundHalfEven } from "./rounding.ts";
import type { Continuation, TokenSearch } from "./token_search.ts";

/** A text in progress and one token more. */
interface Candidate {
  readonly source: number;
  readonly token: number;
  /** Sum of log-probabilities. */
  readonly sumLogprob: number;
}

/** How many finished texts a search waits for. */
export function candidatesOf(beamSize: number, patience: number | null): number {
  return roundHalfEven(beamSize * (patience ?? 1));
}

/**
 * Beam search. It ends when beam size × patience texts are finished (Kasai et al. 2022, "Beam Decoding with
 * Controlled Patience"). A forbidden token never continues a text, so there may be fewer beams than asked for.
 */
export class BeamSearch implements TokenSearch {
  /** One more than beams: one of them may be the end. */
  readonly candidates: number;
  readonly #beamSize: number;
  readonly #eot: number;
  readonly #mostFinished: number;
  readonly #finished: Hypothesis[] = [];
  #beams: readonly Hypothesis[] = [{ tokens: [], sumLogprob: 0 }];
  #offered: Candidate[] = [];

  /**
   * Starts with nothing written.
   *
   * @param beamSize At least 1.
   * @param options `patience`: null is 1; `eot`: ends a text.
   */
  constructor(
    beamSize: number,
    { patience, eot }: { readonly patience: number | null; readonly eot: number },
  ) {
    this.#beamSize = beamSize;
    this.candidates = beamSize + 1;
    this.#eot = eot;
    this.#mostFinished = candidatesOf(beamSize, patience);
  }

  get inProgress(): readonly Hypothesis[] {
    return this.#beams;
  }

  offer(source: number, row: LogitRow): void {
    const before = this.#beams[source].sumLogprob - row.logSum();
    row.forBest((token, logit) => this.#offered.push({ source, token, sumLogprob: before + logit }));
  }

  advance(): Continuation {
    // The sort is stable: among equals the earlier beam's likelier token comes first.
    const ranked = this.#offered.sort((a, b) => b.sumLogprob - a.sumLogprob);
    this.#offered = [];
    const kept: Candidate[] = [];
    for (const candidate of ranked) {
      if (candidate.token === this.#eot) this.#finishText(candidate);
      else if (kept.push(candidate) === this.#beamSize) break;
    }
    const beams = kept.map(({ source, token, sumLogprob }) => ({
      tokens: [...this.#beams[source].tokens, token],
      sumLogprob,
    }));
    // Where no token at all was allowed, the texts stay what they were.
    if (beams.length > 0 || this.#finished.length > 0) this.#beams = beams;
    if (this.#finished.length >= this.#mostFinished) return { tokens: [], sources: [] };
    return { tokens: kept.map(({ token }) => token), sources: kept.map(({ source }) => source) };
  }

  /** The finished texts; where they are fewer than the beams, the likeliest unfinished ones too. */
  finish(): readonly Hypothesis[] {
    const unfinished = this.#beams.toSorted((a, b) => b.sumLogprob - a.sumLogprob);
    const missing = Math.max(0, this.#beamSize - this.#finished.length);
    return [...this.#finished, ...unfinished.slice(0, missing)];
  }

  #finishText({ source, sumLogprob }: Candidate): void {
    if (this.#finished.length >= this.#mostFinished) return;
    this.#finished.push({ tokens: this.#beams[source].tokens, sumLogprob });
  }
}

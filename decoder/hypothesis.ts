/**
 * Texts that were considered for a window, and which of them is taken.
 *
 * @module
 */

/** A text, as far as it is written. */
export interface Hypothesis {
  /** Tokens, the end not among them. */
  readonly tokens: readonly number[];
  /** Sum of the log-probabilities of all tokens, the end included where it was written. */
  readonly sumLogprob: number;
}

/**
 * The likeliest for its length, the first among equals.
 *
 * @param lengthPenalty null: the sum of log-probabilities over the number of tokens; a number α of 0…1: over
 * ((5 + n) / 6)^α (Wu et al. 2016, "Google's Neural Machine Translation System", equation 14).
 */
export function likeliestOf(hypotheses: readonly Hypothesis[], lengthPenalty: number | null): Hypothesis {
  let best = hypotheses[0];
  let highest = -Infinity;
  for (const hypothesis of hypotheses) {
    const score = hypothesis.sumLogprob / penaltyOf(hypothesis.tokens.length, lengthPenalty);
    if (score > highest) {
      highest = score;
      best = hypothesis;
    }
  }
  return best;
}

function penaltyOf(length: number, lengthPenalty: number | null): number {
  // A text without tokens is as long as its end.
  return lengthPenalty === null ? Math.max(length, 1) : ((5 + length) / 6) ** lengthPenalty;
}

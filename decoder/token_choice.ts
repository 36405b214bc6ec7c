/**
 * How one token is taken out of the logits: the likeliest at temperature 0, drawn at random above.
 *
 * @module
 */

/** A token and its log-probability under the filtered logits, at temperature 1. */
export interface Choice {
  /** Id. */
  readonly token: number;
  /** Natural logarithm. */
  readonly logprob: number;
}

/** Numbers drawn evenly from [0, 1). */
export type Random = () => number;

/** Takes the next token. */
export type TokenChooser = (logits: Float32Array) => Choice;

/** Index of the largest logit, the first among equals. */
export function argmax(logits: Float32Array): number {
  let best = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i] > logits[best]) best = i;
  return best;
}

/**
 * log Σ exp(logits / temperature), in F64; −Infinity counts nothing.
 *
 * @param highest The largest logit.
 */
export function logSumExp(logits: Float32Array, highest: number, temperature = 1): number {
  // exp(−40) < 2⁻⁵⁷: a vocabulary of such terms is lost in the rounding of an F64 sum's log.
  const negligible = highest - 40 * temperature;
  let sum = 0;
  for (let i = 0; i < logits.length; i++) {
    if (logits[i] > negligible) sum += Math.exp((logits[i] - highest) / temperature);
  }
  return highest / temperature + Math.log(sum);
}

/** Probability of one token under unfiltered logits. */
export function probabilityOf(token: number, logits: Float32Array): number {
  return Math.exp(logits[token] - logSumExp(logits, logits[argmax(logits)]));
}

/** Takes the likeliest token. */
export const chooseLikeliest: TokenChooser = (logits: Float32Array): Choice => {
  const token = argmax(logits);
  return { token, logprob: logits[token] - logSumExp(logits, logits[token]) };
};

/** Draws a token with probability softmax(logits / temperature). */
export function chooseAtRandom(temperature: number, random: Random): TokenChooser {
  return (logits) => {
    const likeliest = argmax(logits);
    const highest = logits[likeliest];
    const normalizer = logSumExp(logits, highest, temperature);
    let left = random();
    let token = likeliest; // where rounding leaves a rest
    for (let i = 0; i < logits.length; i++) {
      if (logits[i] === -Infinity) continue;
      left -= Math.exp(logits[i] / temperature - normalizer);
      if (left < 0) {
        token = i;
        break;
      }
    }
    return { token, logprob: logits[token] - logSumExp(logits, highest) };
  };
}

/**
 * A generator of random numbers that gives the same on every machine: SplitMix32 (a Weyl sequence through a
 * 32-bit finalizer). Not for secrets.
 *
 * @param seed Any integer; its low 32 bits count.
 */
export function seededRandom(seed: number): Random {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    mixed ^= mixed >>> 15;
    return (mixed >>> 0) / 2 ** 32;
  };
}

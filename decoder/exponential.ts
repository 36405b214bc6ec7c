/**
 * e^−d for the sums over a vocabulary, in a few nanoseconds.
 *
 * e^−d = e^−(k/64) · e^r with k the integer nearest to 64·d: the first factor out of a table, the second by its
 * series, whose next term r³/6 is at most 8e-8 for |r| ≤ 1/128. That is the precision of an F32.
 *
 * @module
 */

/** Table entries for each unit of d. */
const STEPS = 64;

/**
 * Terms further below the highest logit than this are left out of sums: all of 51,865 together are less than
 * 51,865 · e^−25 = 7e-7 of the highest.
 */
export const NEGLIGIBLE = 25;

const TABLE = Float64Array.from({ length: STEPS * NEGLIGIBLE + 1 }, (_, k) => Math.exp(-k / STEPS));

/** 1 / STEPS. */
const STEP = 1 / STEPS;

/** exp((logit − highest) / temperature), within 8e-8 of it; 0 where that is below e^−{@linkcode NEGLIGIBLE}. */
export function weightOf(logit: number, highest: number, temperature: number): number {
  const d = (highest - logit) / temperature;
  return d < NEGLIGIBLE ? expOfMinus(d * STEPS) : 0;
}

/** Σ {@linkcode weightOf} over `logits[from…to)`, none of which is above `highest`. */
export function sumOfWeights(
  logits: Float32Array,
  { from, to }: { readonly from: number; readonly to: number },
  { highest, temperature }: { readonly highest: number; readonly temperature: number },
): number {
  const table = TABLE;
  const least = highest - NEGLIGIBLE * temperature;
  const scale = STEPS / temperature;
  let sum = 0;
  for (let i = from; i < to; i++) {
    const logit = logits[i];
    if (logit > least) {
      // As expOfMinus(), written out: a call takes four times as long where it is not inlined.
      const scaled = (highest - logit) * scale;
      const k = (scaled + 0.5) | 0;
      const r = (k - scaled) * STEP;
      sum += table[k] * (1 + r * (1 + r * 0.5));
    }
  }
  return sum;
}

/** e^−(scaled / STEPS), `scaled` of 0…STEPS · NEGLIGIBLE. */
function expOfMinus(scaled: number): number {
  const k = (scaled + 0.5) | 0;
  const r = (k - scaled) * STEP;
  return TABLE[k] * (1 + r * (1 + r * 0.5));
}

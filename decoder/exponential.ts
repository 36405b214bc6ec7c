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

/**
 * e^−d with a relative error of at most 8e-8.
 *
 * @param d 0…{@linkcode NEGLIGIBLE}.
 */
export function expOfMinus(d: number): number {
  const scaled = d * STEPS;
  const k = (scaled + 0.5) | 0;
  const r = (k - scaled) / STEPS;
  return TABLE[k] * (1 + r * (1 + r * 0.5));
}

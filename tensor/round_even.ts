/**
 * Rounding as processors do it.
 *
 * @module
 */

/** 1.5 · 2^52: a double this large has no digits after the point, and adding to it rounds to nearest even. */
const NO_FRACTION = 6755399441055744;

/** To the nearest whole number, halves to the even one; |x| < 2^51. (`Math.round` takes halves upwards.) */
export function roundEven(x: number): number {
  return x + NO_FRACTION - NO_FRACTION;
}

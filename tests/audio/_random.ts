/** Random numbers that are the same in every run. */

/** Xorshift of 32 bits (Marsaglia 2003): integers below a bound. */
export function randomBelow(seed: number): (bound: number) => number {
  let state = seed | 0;
  return (bound) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % bound;
  };
}

/**
 * Random numbers for sampling, the same on every machine.
 *
 * @module
 */

/** Numbers drawn evenly from [0, 1). */
export type Random = () => number;

/**
 * A generator that gives the same on every machine: SplitMix32 (a Weyl sequence through a 32-bit finalizer). Not
 * for secrets.
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

/**
 * The generator of one window: it depends on nothing but the seed and where the window begins, so that work that
 * is taken up again in the middle writes what it would have written.
 *
 * @param seek First frame of the window.
 */
export function randomOfWindow(seed: number, seek: number): Random {
  return seededRandom(seed ^ Math.imul(seek, 0x85ebca6b)); // an odd factor spreads neighbours apart
}

/** A generator that begins at a number drawn from another. */
export function splitRandom(random: Random): Random {
  return seededRandom(random() * 2 ** 32);
}

/**
 * Repeatable random numbers for tests.
 *
 * @module
 */

/** An endless source of numbers in −1…1: a linear congruential generator (Numerical Recipes' constants). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  next(): number {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) >>> 0;
    return this.#state / 2 ** 31 - 1;
  }

  /** F32 [length], values within ±scale. */
  array(length: number, scale = 1): Float32Array<ArrayBuffer> {
    return Float32Array.from({ length }, () => this.next() * scale);
  }
}

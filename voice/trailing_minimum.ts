/**
 * The least of the latest values of a stream, in time that does not depend on how many those are.
 *
 * The stream is cut into blocks as long as the window. A window then is the end of one block and the beginning of the
 * next: minima from behind of the one, from the front of the other (van Herk 1992, "A fast algorithm for local minimum
 * and maximum filters on rectangular and octagonal kernels").
 *
 * @module
 */

/** Minima over the latest `width` values of each of several streams. */
export class TrailingMinimum {
  readonly #width: number;
  readonly #streams: number;
  /** [width, streams]: values of the block that is being filled. */
  readonly #block: Float32Array;
  /** [width + 1, streams]: minima of the block before, each from there to its end; behind that nothing. */
  readonly #behind: Float32Array;
  /** [streams]: minima of the block that is being filled. */
  readonly #front: Float32Array;
  #at = 0;

  /** @param width How many values count, at least 1. */
  constructor(width: number, streams: number) {
    this.#width = width;
    this.#streams = streams;
    this.#block = new Float32Array(width * streams);
    this.#behind = new Float32Array((width + 1) * streams).fill(Infinity);
    this.#front = new Float32Array(streams).fill(Infinity);
  }

  /**
   * Takes the next value of each stream.
   *
   * @param values F32 [streams].
   * @param out F32 [streams]: receives the minima.
   */
  push(values: Float32Array, out: Float32Array): void {
    if (this.#at === this.#width) this.#turn();
    const next = (this.#at + 1) * this.#streams;
    this.#block.set(values, this.#at * this.#streams);
    for (let i = 0; i < this.#streams; i++) {
      this.#front[i] = Math.min(this.#front[i], values[i]);
      out[i] = Math.min(this.#front[i], this.#behind[next + i]);
    }
    this.#at++;
  }

  #turn(): void {
    const streams = this.#streams;
    this.#behind.set(this.#block);
    for (let i = (this.#width - 1) * streams - 1; i >= 0; i--) {
      this.#behind[i] = Math.min(this.#behind[i], this.#behind[i + streams]);
    }
    this.#front.fill(Infinity);
    this.#at = 0;
  }
}

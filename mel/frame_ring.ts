/**
 * The latest frames of a stream.
 *
 * @module
 */

/** A ring of frames, numbered from 0 in the order they came. */
export class FrameRing {
  readonly #data: Float32Array<ArrayBuffer>;
  readonly #bands: number;
  readonly #capacity: number;
  /** Frames that came so far. */
  #end = 0;

  /**
   * An empty ring.
   *
   * @param capacity Frames that are held.
   */
  constructor(capacity: number, bands: number) {
    this.#data = new Float32Array(capacity * bands);
    this.#bands = bands;
    this.#capacity = capacity;
  }

  /** The number of the next frame to come. */
  get end(): number {
    return this.#end;
  }

  /** Takes frames [n, bands], n ≤ capacity, in place of the oldest. */
  push(frames: Float32Array): void {
    for (let from = 0; from < frames.length; from += this.#bands) {
      this.#data.set(frames.subarray(from, from + this.#bands), this.#end++ % this.#capacity * this.#bands);
    }
  }

  /** A view of frame `number`, [bands], which must be among the latest. */
  frame(number: number): Float32Array<ArrayBuffer> {
    const start = number % this.#capacity * this.#bands;
    return this.#data.subarray(start, start + this.#bands);
  }
}

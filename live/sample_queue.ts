/**
 * Samples handed from one task to another.
 *
 * @module
 */

/** Takes chunks at once, gives them in order, and says when its reader falls behind. */
export class SampleQueue implements AsyncIterable<Float32Array> {
  readonly #limit: number;
  #chunks: Float32Array[] = [];
  #length = 0;
  #isOver = false;
  #changed = Promise.withResolvers<void>();

  /**
   * An empty queue.
   *
   * @param limit Samples above which {@linkcode SampleQueue.room} makes the writer wait.
   */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Takes a chunk; it must not be changed afterwards. */
  push(chunk: Float32Array): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    this.#change();
  }

  /** Says that no more chunks come. */
  end(): void {
    this.#isOver = true;
    this.#change();
  }

  /** Waits until fewer samples than the limit wait. */
  async room(): Promise<void> {
    while (this.#length >= this.#limit) await this.#changed.promise;
  }

  /** The chunks, until {@linkcode SampleQueue.end}; for one reader. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Float32Array, void, void> {
    for (;;) {
      const chunk = this.#chunks.shift();
      if (chunk !== undefined) {
        this.#length -= chunk.length;
        this.#change();
        yield chunk;
      } else if (this.#isOver) return;
      else await this.#changed.promise;
    }
  }

  #change(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}

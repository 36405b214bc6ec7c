/**
 * The self-attention keys and values of one token sequence in one block.
 *
 * @module
 */

type F32 = Float32Array<ArrayBuffer>;

/** Keys by position, values transposed, so that both products of attention are dot products of rows. */
export class KvCache {
  /** [capacity, C]. */
  readonly keys: F32;
  /** [C, capacity]. */
  readonly valuesT: F32;
  readonly #C: number;
  readonly #capacity: number;

  /**
   * An empty cache.
   *
   * @param capacity Longest sequence, in tokens.
   */
  constructor(capacity: number, C: number) {
    this.keys = new Float32Array(capacity * C);
    this.valuesT = new Float32Array(C * capacity);
    this.#C = C;
    this.#capacity = capacity;
  }

  /** Stores the key and the value of one token, [C] each, the values starting at `from` in their arrays. */
  store(position: number, keys: F32, values: F32, from: number): void {
    const C = this.#C;
    for (let c = 0; c < C; c++) {
      this.keys[position * C + c] = keys[from + c];
      this.valuesT[c * this.#capacity + position] = values[from + c];
    }
  }

  /** Takes over the first `length` tokens of another cache of the same size. */
  copyFrom(other: KvCache, length: number): void {
    this.keys.set(other.keys.subarray(0, length * this.#C));
    for (let c = 0; c < this.#C; c++) {
      const row = c * this.#capacity;
      this.valuesT.set(other.valuesT.subarray(row, row + length), row);
    }
  }
}

/** Place i gets what was in place `sources[i]`: moved where it is wanted once, copied where more often. */
export function rearrange(
  caches: readonly KvCache[],
  sources: readonly number[],
  filled: readonly number[],
): KvCache[] {
  const free = caches.filter((_, i) => !sources.includes(i));
  const moved = new Set<number>();
  return sources.map((source) => {
    if (!moved.has(source)) {
      moved.add(source);
      return caches[source];
    }
    const copy = free.pop()!;
    copy.copyFrom(caches[source], filled[source]);
    return copy;
  });
}

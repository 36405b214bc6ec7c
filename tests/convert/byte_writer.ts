/**
 * Bytes appended one after the other.
 *
 * @module
 */

/** Collects little-endian numbers and bytes. */
export class ByteWriter {
  readonly #chunks: Uint8Array<ArrayBuffer>[] = [];
  #length = 0;

  /** Bytes so far. */
  get length(): number {
    return this.#length;
  }

  bytes(bytes: Uint8Array<ArrayBuffer>): this {
    this.#chunks.push(bytes);
    this.#length += bytes.length;
    return this;
  }

  text(text: string): this {
    return this.bytes(new TextEncoder().encode(text));
  }

  uint8(...values: number[]): this {
    return this.bytes(Uint8Array.from(values));
  }

  uint16(...values: number[]): this {
    return this.#numbers(2, values, (view, at, value) => view.setUint16(at, value, true));
  }

  int32(...values: number[]): this {
    return this.#numbers(4, values, (view, at, value) => view.setInt32(at, value, true));
  }

  uint32(...values: number[]): this {
    return this.#numbers(4, values, (view, at, value) => view.setUint32(at, value, true));
  }

  uint64(...values: number[]): this {
    return this.#numbers(8, values, (view, at, value) => view.setBigUint64(at, BigInt(value), true));
  }

  /** Everything in one array. */
  finish(): Uint8Array<ArrayBuffer> {
    const all = new Uint8Array(this.#length);
    let at = 0;
    for (const chunk of this.#chunks) {
      all.set(chunk, at);
      at += chunk.length;
    }
    return all;
  }

  #numbers(size: number, values: number[], set: (view: DataView, at: number, value: number) => void): this {
    const view = new DataView(new ArrayBuffer(size * values.length));
    values.forEach((value, i) => set(view, size * i, value));
    return this.bytes(new Uint8Array(view.buffer));
  }
}

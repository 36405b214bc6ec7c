/**
 * Reading a binary header from its beginning to its end, through a window that moves over the file.
 *
 * @module
 */

import type { ByteSource } from "./byte_source.ts";

/** Bytes read ahead: many headers' worth, and little beside the file. */
const WINDOW_BYTES = 1 << 16;

/** Sequential access to a {@linkcode ByteSource}. Every read past the end throws E_MODEL_FORMAT. */
export class HeaderReader {
  readonly #source: ByteSource;
  #window = new DataView(new ArrayBuffer(0));
  #windowStart = 0;
  #at = 0;

  constructor(source: ByteSource) {
    this.#source = source;
  }

  /** Offset of the next byte. */
  get offset(): number {
    return this.#at;
  }

  /** Whether all bytes were read. */
  get atEnd(): boolean {
    return this.#at >= this.#source.size;
  }

  /** The next little-endian Int32. */
  async int32(): Promise<number> {
    const start = await this.#ensure(4);
    this.#at += 4;
    return this.#window.getInt32(start, true);
  }

  /** The next `count` little-endian Int32. */
  async int32s(count: number): Promise<number[]> {
    const values: number[] = [];
    for (let i = 0; i < count; i++) values.push(await this.int32());
    return values;
  }

  /** The next bytes, as a view: what was read ahead with them is kept as long as they are. */
  async bytes(length: number): Promise<Uint8Array<ArrayBuffer>> {
    const start = await this.#ensure(length);
    this.#at += length;
    return new Uint8Array(this.#window.buffer as ArrayBuffer, start, length);
  }

  /** Passes over bytes without reading them; `int32` or `bytes` fails behind the end. */
  skip(length: number): void {
    this.#at += length;
  }

  /** Brings the next bytes into the window; answers where in it they begin. */
  async #ensure(length: number): Promise<number> {
    const start = this.#at - this.#windowStart;
    if (start >= 0 && start + length <= this.#window.byteLength) return start;
    const ahead = Math.max(length, Math.min(WINDOW_BYTES, this.#source.size - this.#at));
    this.#window = new DataView((await this.#source.read(this.#at, ahead)).buffer);
    this.#windowStart = this.#at;
    return 0;
  }
}

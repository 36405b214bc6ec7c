/**
 * Reading and writing bytes of a container at checked places.
 *
 * @module
 */

import { SottoError } from "../../errors.ts";

/** Reads little-endian fields of one part of a file; a field that is not wholly inside is refused. */
export class FieldReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #what: string;

  /** Reads `bytes`, which messages call `what`. */
  constructor(bytes: Uint8Array, what: string) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#what = what;
  }

  /** How many bytes there are. */
  get length(): number {
    return this.#bytes.byteLength;
  }

  /** Refuses `size` bytes at `offset` that are not all inside; `field` names them. */
  require(offset: number, size: number, field: string): void {
    if (offset >= 0 && size >= 0 && offset + size <= this.length) return;
    throw new SottoError(
      "E_XCLBIN",
      `Cannot read the xclbin because its ${field} must lie inside the ${this.#what} of ${this.length} bytes: got ${size} bytes at ${offset}`,
    );
  }

  /** A byte. */
  u8(offset: number, field: string): number {
    this.require(offset, 1, field);
    return this.#view.getUint8(offset);
  }

  /** 16 bits. */
  u16(offset: number, field: string): number {
    this.require(offset, 2, field);
    return this.#view.getUint16(offset, true);
  }

  /** 32 bits. */
  u32(offset: number, field: string): number {
    this.require(offset, 4, field);
    return this.#view.getUint32(offset, true);
  }

  /** 64 bits. */
  u64(offset: number, field: string): bigint {
    this.require(offset, 8, field);
    return this.#view.getBigUint64(offset, true);
  }

  /** 64 bits that count bytes of this file, so must be far below 2^53. */
  size(offset: number, field: string): number {
    const value = this.u64(offset, field);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) {
      throw new SottoError(
        "E_XCLBIN",
        `Cannot read the xclbin because its ${field} must be a size in bytes: got ${value}`,
      );
    }
    return Number(value);
  }

  /** A view of `size` bytes. */
  slice(offset: number, size: number, field: string): Uint8Array {
    this.require(offset, size, field);
    return this.#bytes.subarray(offset, offset + size);
  }

  /** Text of at most `size` bytes that ends at its first NUL. */
  text(offset: number, size: number, field: string): string {
    const bytes = this.slice(offset, size, field);
    const end = bytes.indexOf(0);
    return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
  }

  /** Text that must end at a NUL before the part does. */
  terminated(offset: number, field: string): string {
    this.require(offset, 1, field);
    const end = this.#bytes.indexOf(0, offset);
    this.require(offset, end < 0 ? this.length - offset + 1 : end - offset + 1, field);
    return new TextDecoder().decode(this.#bytes.subarray(offset, end));
  }
}

/** Collects bytes; what is appended starts where it is told or at a multiple of 8. */
export class ByteBuilder {
  #bytes = new Uint8Array(4096);
  #length = 0;

  /** How many bytes there are. */
  get length(): number {
    return this.#length;
  }

  /** Appends bytes and says where they start. */
  append(bytes: Uint8Array): number {
    const start = this.#length;
    this.#grow(start + bytes.length);
    this.#bytes.set(bytes, start);
    return start;
  }

  /** Appends zeros up to a multiple of `alignment`. */
  align(alignment: number): void {
    this.#grow(Math.ceil(this.#length / alignment) * alignment);
  }

  /** The bytes; a copy. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }

  #grow(length: number): void {
    if (length > this.#bytes.length) {
      const larger = new Uint8Array(2 * length);
      larger.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = larger;
    }
    this.#length = length;
  }
}

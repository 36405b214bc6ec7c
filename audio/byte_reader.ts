/**
 * Reads a file, or bytes in memory, from front to back in pieces.
 *
 * @module
 */

/**
 * A position in a file that moves forward.
 *
 * What `peek` and `read` return is a view that the next call may overwrite.
 */
export interface ByteReader extends Disposable {
  /** The name in messages. */
  readonly name: string;
  /** Bytes before the next one. May lie past the end after `skip`. */
  readonly position: number;
  /** Bytes in the whole file. */
  readonly size: number;
  /** The next `count` bytes without moving; fewer only at the end.. */
  peek(count: number): Promise<Uint8Array>;
  /** The next `count` bytes; fewer only at the end.. */
  read(count: number): Promise<Uint8Array>;
  /** Moves `count` bytes forward. */
  skip(count: number): Promise<void>;
}

/** Something that can be read from its start any number of times. */
export interface ByteSource {
  readonly name: string;
  /** The path, where it is a file. */
  readonly path: string | null;
  open(): Promise<ByteReader>;
}

/** Bytes in memory; they are not copied. */
export class MemorySource implements ByteSource {
  readonly path = null;

  /**
   * @param bytes U8 [length], left as they are while the source is in use.
   * @param name The name in messages.
   */
  constructor(readonly bytes: Uint8Array, readonly name: string) {}

  /** Starts at the first byte. */
  open(): Promise<ByteReader> {
    return Promise.resolve(new MemoryReader(this.bytes, this.name));
  }
}

/** A regular file, read in pieces. Its path must have been checked to exist. */
export class FileSource implements ByteSource {
  /** @param path The path, which is the name in messages too unless another is given. */
  constructor(readonly path: string, readonly name: string = path) {}

  /** Starts at the first byte. */
  async open(): Promise<ByteReader> {
    const file = await Deno.open(this.path, { read: true });
    try {
      return new FileReader(file, (await file.stat()).size, this.name);
    } catch (error) {
      file.close();
      throw error;
    }
  }
}

class MemoryReader implements ByteReader {
  position = 0;
  readonly size: number;

  constructor(readonly bytes: Uint8Array, readonly name: string) {
    this.size = bytes.length;
  }

  peek(count: number): Promise<Uint8Array> {
    return Promise.resolve(this.bytes.subarray(this.position, this.position + count));
  }

  read(count: number): Promise<Uint8Array> {
    const bytes = this.bytes.subarray(this.position, this.position + count);
    this.position += bytes.length;
    return Promise.resolve(bytes);
  }

  skip(count: number): Promise<void> {
    this.position += count;
    return Promise.resolve();
  }

  [Symbol.dispose](): void {}
}

const BUFFER_BYTES = 1 << 16;

class FileReader implements ByteReader {
  position = 0;
  #buffer = new Uint8Array(BUFFER_BYTES);
  #start = 0; // the next byte in the buffer
  #end = 0; // behind the last byte in the buffer

  constructor(readonly file: Deno.FsFile, readonly size: number, readonly name: string) {}

  async peek(count: number): Promise<Uint8Array> {
    if (this.#end - this.#start < count) await this.#fill(count);
    return this.#buffer.subarray(this.#start, Math.min(this.#end, this.#start + count));
  }

  async read(count: number): Promise<Uint8Array> {
    const bytes = await this.peek(count);
    this.#start += bytes.length;
    this.position += bytes.length;
    return bytes;
  }

  async skip(count: number): Promise<void> {
    const buffered = Math.min(count, this.#end - this.#start);
    this.#start += buffered;
    this.position += count;
    if (count > buffered) await this.file.seek(count - buffered, Deno.SeekMode.Current);
  }

  async #fill(count: number): Promise<void> {
    const held = this.#buffer.subarray(this.#start, this.#end);
    if (count > this.#buffer.length) this.#buffer = new Uint8Array(count);
    this.#buffer.set(held); // like memmove: the ranges may overlap
    this.#start = 0;
    this.#end = held.length;
    while (this.#end < count) {
      const got = await this.file.read(this.#buffer.subarray(this.#end));
      if (got === null) return;
      this.#end += got;
    }
  }

  [Symbol.dispose](): void {
    this.file.close();
  }
}

/**
 * Random access to the bytes of a checkpoint file, on disk or in memory, so that a parser reads only headers.
 *
 * @module
 */

import { SottoError } from "../errors.ts";
import { fileError } from "./file_error.ts";
import type { TensorFile } from "./weights.ts";

/** An open file. Dispose of it when done; the {@linkcode TensorFile} stays usable. */
export interface ByteSource extends Disposable {
  /** Where the bytes come from, for tensors to refer to. */
  readonly file: TensorFile;
  /** For messages: the path, or "bytes in memory". */
  readonly name: string;
  /** Bytes in the file. */
  readonly size: number;
  /**
   * `length` bytes from `offset` on, in new memory of exactly that size.
   *
   * @throws {SottoError} E_MODEL_FORMAT if the range leaves the file; nothing is allocated then.
   */
  read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
}

/**
 * Opens a file for ranged reads.
 *
 * @throws {SottoError} E_MODEL_NOT_FOUND, E_PERMISSION or E_INPUT if it cannot be opened.
 */
export async function openByteSource(file: TensorFile): Promise<ByteSource> {
  return file.path === undefined ? new MemorySource(file) : await FileSource.open(file.path);
}

class MemorySource implements ByteSource {
  readonly file: TensorFile;
  readonly name = "bytes in memory";
  readonly #bytes: Uint8Array<ArrayBuffer>;

  constructor(file: { readonly bytes: Uint8Array<ArrayBuffer> }) {
    this.file = file;
    this.#bytes = file.bytes;
  }

  get size(): number {
    return this.#bytes.length;
  }

  // deno-lint-ignore require-await -- so that a range outside is a rejection, as it is for a file on disk
  async read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    checkRange(this, offset, length);
    return this.#bytes.slice(offset, offset + length);
  }

  [Symbol.dispose](): void {}
}

class FileSource implements ByteSource {
  readonly file: TensorFile;
  readonly name: string;
  readonly size: number;
  readonly #handle: Deno.FsFile;

  private constructor(path: string, handle: Deno.FsFile, size: number) {
    this.file = { path };
    this.name = path;
    this.size = size;
    this.#handle = handle;
  }

  static async open(path: string): Promise<FileSource> {
    let handle: Deno.FsFile | undefined;
    try {
      handle = await Deno.open(path, { read: true });
      const { isFile, size } = await handle.stat();
      if (!isFile) throw new SottoError("E_INPUT", `Cannot read ${path}: it is not a regular file`);
      return new FileSource(path, handle, size);
    } catch (error) {
      handle?.close();
      throw fileError(error, "read", path);
    }
  }

  async read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    checkRange(this, offset, length);
    try {
      const bytes = new Uint8Array(length);
      await this.#handle.seek(offset, Deno.SeekMode.Start);
      for (let filled = 0; filled < length;) {
        const count = await this.#handle.read(bytes.subarray(filled));
        if (count === null) throw rangeError(this, offset, length, offset + filled);
        filled += count;
      }
      return bytes;
    } catch (error) {
      throw fileError(error, "read", this.name);
    }
  }

  [Symbol.dispose](): void {
    this.#handle.close();
  }
}

function checkRange(source: ByteSource, offset: number, length: number): void {
  if (offset < 0 || length < 0 || offset + length > source.size) {
    throw rangeError(source, offset, length, source.size);
  }
}

function rangeError(source: ByteSource, offset: number, length: number, size: number): SottoError {
  return new SottoError(
    "E_MODEL_FORMAT",
    `Cannot read ${source.name}: need bytes ${offset} to ${offset + length}, the file ends at ${size}`,
    { hint: "The file is cut or damaged: fetch it again." },
  );
}

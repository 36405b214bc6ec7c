/**
 * Hands stored weights to libsotto_cpu: it maps the files itself, so that no weight passes through JavaScript.
 *
 * @module
 */

import type { CpuLibrary } from "../../ffi/cpu_library.ts";
import { SOTTO_WEIGHT_WORDS, SottoDtype } from "../../ffi/cpu_symbols.ts";
import type { NativeHandle } from "../../ffi/native_handle.ts";
import type { StoredTensor, TensorFile } from "../../model/weights.ts";

/** Weights in words, and the files they lie in. */
export class WeightTable implements Disposable {
  /** [n, SOTTO_WEIGHT_WORDS]: file handle, byte offset, dtype, elements. */
  readonly words: BigUint64Array<ArrayBuffer>;
  readonly #files: readonly NativeHandle[];

  private constructor(words: BigUint64Array<ArrayBuffer>, files: readonly NativeHandle[]) {
    this.words = words;
    this.#files = files;
  }

  /**
   * Opens every file once, however many tensors lie in it.
   *
   * @throws {SottoError} E_NATIVE if a file cannot be mapped.
   */
  static async open(library: CpuLibrary, tensors: readonly StoredTensor[]): Promise<WeightTable> {
    using opened = new DisposableStack();
    const files = new Map<string | Uint8Array, NativeHandle>();
    const words = new BigUint64Array(tensors.length * SOTTO_WEIGHT_WORDS);
    for (const [index, { file, byteOffset, dtype, shape }] of tensors.entries()) {
      const key = file.path ?? file.bytes;
      let handle = files.get(key);
      if (!handle) files.set(key, handle = opened.use(await openFile(library, file)));
      const elements = shape.reduce((product, n) => product * n, 1);
      words.set(
        [handle.handle, BigInt(byteOffset), BigInt(SottoDtype[`SOTTO_${dtype}`]), BigInt(elements)],
        index * SOTTO_WEIGHT_WORDS,
      );
    }
    opened.move();
    return new WeightTable(words, [...files.values()]);
  }

  /** Closes the files. What was created from them keeps what it needs. */
  [Symbol.dispose](): void {
    for (const file of this.#files) file[Symbol.dispose]();
  }
}

function openFile(library: CpuLibrary, file: TensorFile): Promise<NativeHandle> {
  return file.path === undefined ? library.copyFile(file.bytes) : library.openFile(file.path);
}

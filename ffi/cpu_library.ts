/**
 * libsotto_cpu, open: what the processor is, threads on it, and files to read weights from.
 *
 * @module
 */

import { CpuContext } from "./cpu_context.ts";
import { type CpuSymbols, destroyWith } from "./cpu_functions.ts";
import { CPU_SYMBOLS, SOTTO_CPU_ABI } from "./cpu_symbols.ts";
import { check, checkAsync, describe, sized, sizedText } from "./native_call.ts";
import { NativeHandle } from "./native_handle.ts";
import { openNativeLibrary } from "./native_library.ts";

/** What the processor is. */
export interface CpuDescription {
  /** Its own name, such as `AMD EPYC`. */
  readonly cpu: string;
  /** Instruction sets that matter here, such as `avx2`. */
  readonly features: readonly string[];
  /** Kernel variants that it can run, the best last. */
  readonly variants: readonly string[];
}

/** Libraries that are open, by path; they stay open. */
const opened = new Map<string, CpuLibrary>();

/** libsotto_cpu. */
export class CpuLibrary {
  /** Absolute path it was opened from. */
  readonly path: string;
  readonly #symbols: CpuSymbols;

  private constructor(path: string, symbols: CpuSymbols) {
    this.path = path;
    this.#symbols = symbols;
  }

  /**
   * Opens the library, or answers with the one that is open already.
   *
   * @param given Its path or `file:` URL; otherwise it is looked for as `library_path.ts` says.
   * @throws {SottoError} E_PERMISSION, E_NATIVE as `openNativeLibrary` says.
   */
  static open(given?: string | URL): CpuLibrary {
    const spec = { name: "sotto_cpu", symbols: CPU_SYMBOLS, abiSymbol: "sotto_cpu_abi", abi: SOTTO_CPU_ABI };
    const { path, symbols } = openNativeLibrary(spec, given);
    let library = opened.get(path);
    if (!library) opened.set(path, library = new CpuLibrary(path, symbols));
    return library;
  }

  /** What the processor is and can run. */
  describe(): CpuDescription {
    return describe(
      "sotto_cpu_describe",
      (json) => this.#symbols.sotto_cpu_describe(...json),
    );
  }

  /**
   * Starts threads.
   *
   * @param threads 1…256, the calling thread among them.
   * @param variant One of {@linkcode CpuDescription.variants}, or "" for the best.
   * @throws {SottoError} E_DEVICE if the variant is unknown or cannot run here.
   */
  createContext(threads: number, variant: string): CpuContext {
    const handle = new BigUint64Array(1);
    const symbol = "sotto_cpu_context_create";
    check(
      symbol,
      (error) => this.#symbols[symbol](threads, ...sizedText(variant), handle, ...error),
    );
    return new CpuContext(this.#symbols, handle[0]);
  }

  /**
   * Maps a file read-only.
   *
   * @throws {SottoError} E_NATIVE if it cannot be opened or mapped.
   */
  async openFile(path: string): Promise<NativeHandle> {
    const handle = new BigUint64Array(1);
    const symbol = "sotto_cpu_file_open";
    await checkAsync(
      symbol,
      (error) => this.#symbols[symbol](...sizedText(path), handle, ...error),
    );
    return new NativeHandle("file", handle[0], destroyWith(this.#symbols));
  }

  /**
   * Copies bytes into native memory, to be used like a mapped file.
   *
   * @throws {SottoError} E_MEMORY.
   */
  async copyFile(bytes: Uint8Array<ArrayBuffer>): Promise<NativeHandle> {
    const handle = new BigUint64Array(1);
    const symbol = "sotto_cpu_file_copy";
    await checkAsync(
      symbol,
      (error) => this.#symbols[symbol](...sized(bytes), handle, ...error),
    );
    return new NativeHandle("file", handle[0], destroyWith(this.#symbols));
  }
}

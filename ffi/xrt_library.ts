/**
 * libsotto_xrt or libsotto_npu_emulated, open: two libraries of one interface, an NPU through AMD's libxrt and the model
 * of one.
 *
 * @module
 */

import { check, checkAsync, sized, sizedText } from "./native_call.ts";
import { textOf } from "./native_error.ts";
import { openNativeLibrary } from "./native_library.ts";
import { xrtError } from "./xrt_error.ts";
import { XrtDevice, type XrtSymbols } from "./xrt_objects.ts";
import { SOTTO_XRT_ABI, XRT_SYMBOLS } from "./xrt_symbols.ts";

/** Which of the two. */
export type XrtLibraryName = "sotto_xrt" | "sotto_npu_emulated";

/** What a library is. */
export interface XrtDescription {
  /** Such as `libsotto_xrt`. */
  readonly library: string;
  /** Whether its NPU is a model. */
  readonly modelled: boolean;
  /** Version of libxrt, null of the model. */
  readonly xrt: string | null;
}

/** Libraries that are open, by path; they stay open. */
const opened = new Map<string, XrtLibrary>();

/** A library of the NPU's interface. */
export class XrtLibrary {
  /** Absolute path it was opened from. */
  readonly path: string;
  readonly #symbols: XrtSymbols;

  private constructor(path: string, symbols: XrtSymbols) {
    this.path = path;
    this.#symbols = symbols;
  }

  /**
   * Opens a library, or answers with the one that is open already.
   *
   * @param given Its path or `file:` URL; otherwise it is looked for as `library_path.ts` says.
   * @throws {SottoError} E_PERMISSION, E_NATIVE as `openNativeLibrary` says.
   */
  static open(name: XrtLibraryName, given?: string | URL): XrtLibrary {
    const spec = { name, symbols: XRT_SYMBOLS, abiSymbol: "sotto_xrt_abi", abi: SOTTO_XRT_ABI };
    const { path, symbols } = openNativeLibrary(spec, given);
    let library = opened.get(path);
    if (!library) opened.set(path, library = new XrtLibrary(path, symbols));
    return library;
  }

  /** What the library is. */
  describe(): XrtDescription {
    const json = sized(new Uint8Array(4096));
    this.#symbols.sotto_xrt_describe(...json);
    return JSON.parse(textOf(json[0]));
  }

  /**
   * Says how the model behaves from the next device that is opened on, as `native/npu_model/README.md` defines it.
   *
   * @param settings Such as `device=strix,hang@3`; "" is the plain model.
   * @throws {SottoError} E_NATIVE if the text is no setting, or the library has no model.
   */
  configure(settings: string): void {
    const symbol = "sotto_xrt_model_configure";
    check(symbol, (error) => this.#symbols[symbol](...sizedText(settings), ...error), xrtError);
  }

  /**
   * Opens an NPU.
   *
   * @throws {SottoError} E_NPU_ABSENT, E_NPU_PERMISSION, E_NPU_MEMLOCK if it cannot be used.
   */
  async openDevice(index = 0): Promise<XrtDevice> {
    const made = new BigUint64Array(1);
    const symbol = "sotto_xrt_device_open";
    await checkAsync(symbol, (error) => this.#symbols[symbol](index, made, ...error), xrtError);
    return new XrtDevice("NPU", this.#symbols, made[0]);
  }
}

/**
 * An NPU, open, with its contexts. After a fault it is given up as a whole and another is opened: that is the fresh
 * context that a second try gets.
 *
 * @module
 */

import { SottoError } from "../../errors.ts";
import type { XrtLibrary } from "../../ffi/xrt_library.ts";
import type { XrtDevice, XrtDeviceDescription } from "../../ffi/xrt_objects.ts";
import { SottoXrtCounter } from "../../ffi/xrt_symbols.ts";
import { ENCODER_NPU1, ENCODER_NPU2 } from "./catalogue.ts";
import { modelledXclbin } from "./container.ts";
import { ContextCache, type XclbinSource } from "./contexts.ts";
import type { OverlayDesign } from "./design.ts";
import { checkOverlay } from "./overlay_check.ts";
import { designWithin } from "./program_kernels.ts";
import type { DeviceCounts } from "./statistics.ts";

/** The overlay that serves every product of an encoder. */
export function encoderDesignOf(generation: XrtDeviceDescription["generation"]): OverlayDesign {
  return generation === "npu1" ? ENCODER_NPU1 : ENCODER_NPU2;
}

/** An NPU, open. */
export class NpuSession implements Disposable {
  /** What it is. */
  readonly description: XrtDeviceDescription;
  /** Its overlay: of an encoder's programs, those that it can run. */
  readonly design: OverlayDesign;
  /** Its contexts. */
  readonly contexts: ContextCache;
  readonly #device: XrtDevice;
  readonly #guarded = new Set<(fault: SottoError) => void>();
  #fault: SottoError | null = null;

  private constructor(device: XrtDevice, xclbin: Uint8Array<ArrayBuffer> | null) {
    this.#device = device;
    this.description = device.describe();
    // libxrt crashes on damaged containers, and a stream for another design hangs: neither gets that far.
    const design = encoderDesignOf(this.description.generation);
    const checked = xclbin === null ? null : checkOverlay(xclbin, { ...this.description, runs: design });
    this.design = checked === null
      ? design
      : designWithin(design, checked.xclbin.kernels.map((kernel) => kernel.name));
    this.contexts = new ContextCache(device, this.description.contexts, this.#source(xclbin));
  }

  /**
   * Opens it.
   *
   * @param xclbin A compiled overlay; null for the model's.
   * @throws {SottoError} E_NPU_ABSENT, E_NPU_PERMISSION, E_NPU_MEMLOCK if it cannot be used; E_XCLBIN if the overlay
   * is damaged, or made for another NPU.
   */
  static async open(library: XrtLibrary, xclbin: Uint8Array<ArrayBuffer> | null): Promise<NpuSession> {
    using opened = new DisposableStack();
    const session = new NpuSession(opened.use(await library.openDevice()), xclbin);
    opened.move();
    return session;
  }

  #source(xclbin: Uint8Array<ArrayBuffer> | null): XclbinSource {
    return (design) => {
      if (xclbin !== null) return xclbin;
      if (this.description.modelled) return modelledXclbin(design);
      throw new SottoError(
        "E_XCLBIN",
        `Cannot use ${this.description.name}: a real NPU needs a compiled overlay, and none was given`,
        { hint: "Compile one as kernels/iron/README.md says, and give its path as --npu_overlay." },
      );
    };
  }

  /**
   * What a piece of work on it gives; or, without waiting for the rest of that, the fault that the NPU is given up for.
   * A command behind one that hung would wait for the watchdog once more.
   */
  guard<T>(work: Promise<T>): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    work.then(resolve, reject).finally(() => this.#guarded.delete(reject));
    if (this.#fault) reject(this.#fault);
    else this.#guarded.add(reject);
    return promise;
  }

  /** Ends the waiting of all that is under way: the NPU is given up. */
  fail(fault: SottoError): void {
    this.#fault = fault;
    for (const reject of this.#guarded) reject(fault);
  }

  /** What the device has counted. */
  counts(): DeviceCounts {
    const counters = this.#device.counters();
    return {
      launches: counters[SottoXrtCounter.SOTTO_XRT_COUNT_LAUNCHES],
      contexts: counters[SottoXrtCounter.SOTTO_XRT_COUNT_CONTEXTS],
      contextSwitches: counters[SottoXrtCounter.SOTTO_XRT_COUNT_MODELLED_SWITCHES],
    };
  }

  /** Frees it. What is under way ends first, natively. */
  [Symbol.dispose](): void {
    this.contexts[Symbol.dispose]();
    this.#device[Symbol.dispose]();
  }
}

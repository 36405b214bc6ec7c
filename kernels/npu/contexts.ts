/**
 * Hardware contexts of a device, one for each overlay in use. The driver allows few at a time (XDNA1: six, the seventh
 * fails), so the one that was used least recently gives way.
 *
 * @module
 */

import { SottoError } from "../../errors.ts";
import type { XrtContext, XrtDevice, XrtKernel, XrtOverlay } from "../../ffi/xrt_objects.ts";
import { readNpuXclbin } from "../xclbin/read.ts";
import { modelledXclbin } from "./container.ts";
import { designText, type OverlayDesign } from "./design.ts";
import { programKernels } from "./program_kernels.ts";

/** An overlay, configured. */
export interface OpenOverlay extends Disposable {
  /** Its context. */
  readonly context: XrtContext;
  /** Its kernel, and whose buffers all of them take. */
  readonly kernel: XrtKernel;
  /** The kernel of each of the design's programs; where there is but one, that. */
  readonly kernels: readonly XrtKernel[];
}

interface Entry {
  readonly overlay: XrtOverlay;
  readonly context: XrtContext;
  readonly kernels: readonly XrtKernel[];
  users: number;
}

/** Makes the container of a design. */
export type XclbinSource = (
  design: OverlayDesign,
) => Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>>;

/** Contexts at a time where the driver does not say: what XDNA1 allows. */
const DEFAULT_LIMIT = 6;

/** Contexts, the least recently used first. */
export class ContextCache implements Disposable {
  readonly #device: XrtDevice;
  readonly #limit: number;
  readonly #source: XclbinSource;
  readonly #entries = new Map<string, Promise<Entry>>();
  #made = 0;

  /**
   * @param limit Contexts at a time, null for the default of 6.
   * @param source Of containers; default the model's.
   */
  constructor(device: XrtDevice, limit: number | null, source: XclbinSource = modelledXclbin) {
    this.#device = device;
    this.#limit = limit ?? DEFAULT_LIMIT;
    this.#source = source;
  }

  /** Contexts that were made, also those that gave way. */
  get made(): number {
    return this.#made;
  }

  /** Contexts there are now. */
  get size(): number {
    return this.#entries.size;
  }

  /**
   * The context of a design, made if need be; to be disposed of when it is not needed for now.
   *
   * @throws {SottoError} E_NPU_CONTEXT if every context there may be is in use, or the driver refuses one.
   */
  async acquire(design: OverlayDesign): Promise<OpenOverlay> {
    const key = designText(design);
    let making = this.#entries.get(key);
    if (making) {
      this.#entries.delete(key); // to the end of the order
    } else {
      if (this.#entries.size >= this.#limit) await this.#evict();
      making = this.#make(design);
      making.catch(() => this.#entries.delete(key));
    }
    this.#entries.set(key, making);
    const entry = await making;
    entry.users++;
    let isOpen = true;
    return {
      context: entry.context,
      kernel: entry.kernels[0],
      kernels: entry.kernels,
      [Symbol.dispose]: () => {
        if (isOpen) entry.users--;
        isOpen = false;
      },
    };
  }

  async #make(design: OverlayDesign): Promise<Entry> {
    using made = new DisposableStack();
    const xclbin = await this.#source(design);
    const overlay = made.use(await this.#device.register(xclbin));
    const context = made.use(await overlay.createContext());
    const found = readNpuXclbin(xclbin).kernels.map(({ name }) => name);
    const names = programKernels(design, found).map((name) => name ?? found[0]);
    const opened = new Map([...new Set(names)].map((name) => [name, made.use(context.kernel(name))]));
    made.move();
    this.#made++;
    return { overlay, context, kernels: names.map((name) => opened.get(name)!), users: 0 };
  }

  async #evict(): Promise<void> {
    for (const [key, making] of this.#entries) {
      const entry = await making;
      if (entry.users > 0) continue;
      this.#entries.delete(key);
      free(entry);
      return;
    }
    throw new SottoError(
      "E_NPU_CONTEXT",
      `Cannot configure another overlay: the NPU takes ${this.#limit} contexts at a time, and all are in use`,
      { hint: "Dispose of an encoder first." },
    );
  }

  /** Frees every context. */
  [Symbol.dispose](): void {
    for (const making of this.#entries.values()) making.then(free, () => {});
    this.#entries.clear();
  }
}

function free({ overlay, context, kernels }: Entry): void {
  for (const kernel of new Set(kernels)) kernel[Symbol.dispose]();
  context[Symbol.dispose]();
  overlay[Symbol.dispose]();
}

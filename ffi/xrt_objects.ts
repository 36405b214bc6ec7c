/**
 * What is made on an NPU: overlays, contexts, kernels, buffers, runs and lists of runs. Each is freed once, and not
 * during a call; what it was made from may go first.
 *
 * @module
 */

import { check, type ErrorText, sized, sizedText } from "./native_call.ts";
import { type Destroy, NativeHandle } from "./native_handle.ts";
import { xrtError } from "./xrt_error.ts";
import { SOTTO_XRT_COUNTERS, SottoXrtBufferKind, type XRT_SYMBOLS } from "./xrt_symbols.ts";

/** The library's functions. */
export type XrtSymbols = Deno.DynamicLibrary<typeof XRT_SYMBOLS>["symbols"];

/** Room for a description in JSON, in bytes. */
const DESCRIPTION_CAPACITY = 4096;

/** Frees native objects. A stale handle is answered with a status that nobody can act on. */
function destroyWith(symbols: XrtSymbols): Destroy {
  return (handle) => void symbols.sotto_xrt_destroy(handle);
}

/** An object of the NPU's interface. */
export class XrtObject extends NativeHandle {
  /** The library's functions. */
  protected readonly symbols: XrtSymbols;

  /** @param handle As the library gave it. */
  constructor(what: string, symbols: XrtSymbols, handle: bigint) {
    super(what, handle, destroyWith(symbols), Infinity, xrtError);
    this.symbols = symbols;
  }

  /** Makes a blocking call on this object. */
  protected now(symbol: string, invoke: (handle: bigint, error: ErrorText) => number): void {
    const handle = this.handle;
    check(symbol, (error) => invoke(handle, error), xrtError);
  }

  /** Makes a call that answers with a new object's handle. */
  protected async made(
    symbol: string,
    invoke: (handle: bigint, made: BigUint64Array<ArrayBuffer>, error: ErrorText) => Promise<number>,
  ): Promise<bigint> {
    const made = new BigUint64Array(1);
    await this.call(symbol, (handle, error) => invoke(handle, made, error));
    return made[0];
  }

  /** Counts since the device was opened, or of the last start of a run, by `SottoXrtCounter`. */
  counters(): number[] {
    const counters = new BigUint64Array(SOTTO_XRT_COUNTERS);
    const symbol = "sotto_xrt_counters";
    this.now(symbol, (handle, error) => this.symbols[symbol](handle, ...sized(counters), ...error));
    return Array.from(counters, Number);
  }
}

/** What a device is. */
export interface XrtDeviceDescription {
  /** Such as `NPU Phoenix`. */
  readonly name: string;
  /** `npu1` is XDNA1, `npu2` XDNA2. */
  readonly generation: "npu1" | "npu2";
  /** Columns of compute tiles. */
  readonly columns: number;
  /** Rows of compute tiles. */
  readonly rows: number;
  /** Contexts at a time; null where the driver does not say. */
  readonly contexts: number | null;
  /** Whether it is a model of an NPU. */
  readonly modelled: boolean;
  /** The model's constants, null of a real one. */
  readonly clock: unknown;
}

/** An NPU, open. */
export class XrtDevice extends XrtObject {
  /** What it is. */
  describe(): XrtDeviceDescription {
    const json = sized(new Uint8Array(DESCRIPTION_CAPACITY));
    const symbol = "sotto_xrt_device_describe";
    this.now(symbol, (handle, error) => this.symbols[symbol](handle, ...json, ...error));
    return JSON.parse(new TextDecoder().decode(json[0].subarray(0, json[0].indexOf(0))));
  }

  /**
   * Checks and registers an overlay.
   *
   * @throws {SottoError} E_XCLBIN if it is damaged, or for another NPU.
   */
  async register(xclbin: Uint8Array<ArrayBuffer>): Promise<XrtOverlay> {
    const symbol = "sotto_xrt_overlay_register";
    const handle = await this.made(
      symbol,
      (handle, made, error) => this.symbols[symbol](handle, ...sized(xclbin), made, ...error),
    );
    return new XrtOverlay("overlay", this.symbols, handle);
  }
}

/** An overlay, registered. */
export class XrtOverlay extends XrtObject {
  /**
   * Configures the overlay on columns of the NPU.
   *
   * @throws {SottoError} E_NPU_CONTEXT if the driver refuses another one.
   */
  async createContext(): Promise<XrtContext> {
    const symbol = "sotto_xrt_context_create";
    const handle = await this.made(
      symbol,
      (handle, made, error) => this.symbols[symbol](handle, made, ...error),
    );
    return new XrtContext("NPU context", this.symbols, handle);
  }
}

/** A hardware context. */
export class XrtContext extends XrtObject {
  /** A kernel of the overlay; those of MLIR-AIE have one, `MLIR_AIE`. */
  kernel(name = "MLIR_AIE"): XrtKernel {
    const made = new BigUint64Array(1);
    const symbol = "sotto_xrt_kernel_open";
    this.now(symbol, (handle, error) => this.symbols[symbol](handle, ...sizedText(name), made, ...error));
    return new XrtKernel("NPU kernel", this.symbols, made[0]);
  }

  /** A list of runs. */
  runlist(runs: readonly XrtRun[]): XrtRunlist {
    const made = new BigUint64Array(1);
    const symbol = "sotto_xrt_runlist_create";
    this.now(symbol, (handle, error) => this.symbols[symbol](handle, made, ...error));
    return new XrtRunlist(this.symbols, made[0], runs);
  }
}

/** Arguments of MLIR-AIE's kernel: opcode, instructions, their count, then buffers. */
const ARGUMENT = { opcode: 0, instructions: 1, count: 2, firstBuffer: 3 } as const;
/** The opcode that carries out an instruction stream. */
const RUN_INSTRUCTIONS = 3n;

/** A kernel. */
export class XrtKernel extends XrtObject {
  async #buffer(argument: number, kind: number, size: number): Promise<XrtBuffer> {
    const symbol = "sotto_xrt_buffer_create";
    const handle = await this.made(
      symbol,
      (handle, made, error) => this.symbols[symbol](handle, argument, kind, BigInt(size), made, ...error),
    );
    return new XrtBuffer(this.symbols, handle, size);
  }

  /**
   * A buffer of zeros.
   *
   * @param index 0 for bo0.
   * @param size Bytes, above 0.
   * @throws {SottoError} E_NPU_MEMLOCK if the driver refuses it.
   */
  buffer(index: number, size: number): Promise<XrtBuffer> {
    return this.#buffer(ARGUMENT.firstBuffer + index, SottoXrtBufferKind.SOTTO_XRT_HOST, size);
  }

  /** A buffer that holds an instruction stream. */
  async instructions(words: Uint32Array<ArrayBuffer>): Promise<XrtBuffer> {
    const buffer = await this.#buffer(
      ARGUMENT.instructions,
      SottoXrtBufferKind.SOTTO_XRT_INSTRUCTIONS,
      words.byteLength,
    );
    await buffer.write(words);
    return buffer;
  }

  /** A run of an instruction stream on buffers; it keeps them, and may be started again and again. */
  run(instructions: XrtBuffer, buffers: readonly XrtBuffer[]): XrtRun {
    const made = new BigUint64Array(1);
    const symbol = "sotto_xrt_run_create";
    this.now(symbol, (handle, error) => this.symbols[symbol](handle, made, ...error));
    const run = new XrtRun("NPU run", this.symbols, made[0]);
    run.setScalar(ARGUMENT.opcode, RUN_INSTRUCTIONS);
    run.setBuffer(ARGUMENT.instructions, instructions);
    run.setScalar(ARGUMENT.count, BigInt(instructions.size / Uint32Array.BYTES_PER_ELEMENT));
    buffers.forEach((buffer, index) => run.setBuffer(ARGUMENT.firstBuffer + index, buffer));
    return run;
  }
}

/** Memory that the NPU reads and writes. */
export class XrtBuffer extends XrtObject {
  /** Bytes. */
  readonly size: number;
  /** Where it is mapped in this process, until the buffer is disposed of. */
  readonly address: bigint;

  /** @param handle As the library gave it. */
  constructor(symbols: XrtSymbols, handle: bigint, size: number) {
    super("NPU buffer", symbols, handle);
    this.size = size;
    const [address, mapped] = [new BigUint64Array(1), new BigUint64Array(1)];
    const symbol = "sotto_xrt_buffer_map";
    this.now(symbol, (handle, error) => this.symbols[symbol](handle, address, mapped, ...error));
    this.address = address[0];
  }

  /** Copies an array to `offset` bytes, and flushes it to the NPU. */
  async write(array: ArrayBufferView<ArrayBuffer>, offset = 0): Promise<void> {
    const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    const symbol = "sotto_xrt_buffer_write";
    await this.call(
      symbol,
      (handle, error) => this.symbols[symbol](handle, BigInt(offset), ...sized(bytes), ...error),
    );
  }

  /** Fills an array from `offset` bytes on with what the NPU wrote. */
  async read(array: ArrayBufferView<ArrayBuffer>, offset = 0): Promise<void> {
    const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    const symbol = "sotto_xrt_buffer_read";
    await this.call(
      symbol,
      (handle, error) => this.symbols[symbol](handle, BigInt(offset), ...sized(bytes), ...error),
    );
  }

  /** Flushes `length` bytes from `offset` on that were written into the mapping. */
  async syncToDevice(length: number = this.size, offset = 0): Promise<void> {
    const symbol = "sotto_xrt_buffer_sync_to_device";
    const range = [BigInt(offset), BigInt(length)] as const;
    await this.call(symbol, (handle, error) => this.symbols[symbol](handle, ...range, ...error));
  }

  /** Drops what the caches hold of `length` bytes from `offset` on, after the NPU wrote them. */
  async syncFromDevice(length: number = this.size, offset = 0): Promise<void> {
    const symbol = "sotto_xrt_buffer_sync_from_device";
    const range = [BigInt(offset), BigInt(length)] as const;
    await this.call(symbol, (handle, error) => this.symbols[symbol](handle, ...range, ...error));
  }
}

/** A run of a kernel. */
export class XrtRun extends XrtObject {
  /** Sets a scalar argument. */
  setScalar(index: number, value: bigint): void {
    const symbol = "sotto_xrt_run_set_scalar";
    this.now(symbol, (handle, error) => this.symbols[symbol](handle, index, value, ...error));
  }

  /** Sets a buffer argument. */
  setBuffer(index: number, buffer: XrtBuffer): void {
    const symbol = "sotto_xrt_run_set_buffer";
    this.now(symbol, (handle, error) => this.symbols[symbol](handle, index, buffer.handle, ...error));
  }

  /** Submits it. */
  start(): void {
    const symbol = "sotto_xrt_run_start";
    this.now(symbol, (handle, error) => this.symbols[symbol](handle, ...error));
  }

  /**
   * Waits for its end.
   *
   * @param milliseconds At most; 0 for ever.
   * @throws {SottoError} E_NPU_TIMEOUT, E_NPU_COMMAND, E_NPU_LOST unless it completed.
   */
  async wait(milliseconds: number): Promise<void> {
    const state = new Int32Array(1);
    const symbol = "sotto_xrt_run_wait";
    await this.waiting(
      symbol,
      (handle, error) => this.symbols[symbol](handle, milliseconds, state, ...error),
    );
  }
}

/** Runs that are submitted together and carried out in order. */
export class XrtRunlist extends XrtObject {
  /** Which runs; the list keeps them. */
  readonly runs: readonly XrtRun[];

  /** @param handle As the library gave it. */
  constructor(symbols: XrtSymbols, handle: bigint, runs: readonly XrtRun[]) {
    super("NPU run list", symbols, handle);
    this.runs = runs;
    const symbol = "sotto_xrt_runlist_add";
    for (const run of runs) {
      this.now(symbol, (handle, error) => this.symbols[symbol](handle, run.handle, ...error));
    }
  }

  /** Submits it. */
  start(): void {
    const symbol = "sotto_xrt_runlist_start";
    this.now(symbol, (handle, error) => this.symbols[symbol](handle, ...error));
  }

  /** Waits for its end, as {@linkcode XrtRun.wait} does. */
  async wait(milliseconds: number): Promise<void> {
    const failed = new Int32Array(1);
    const symbol = "sotto_xrt_runlist_wait";
    await this.waiting(
      symbol,
      (handle, error) => this.symbols[symbol](handle, milliseconds, failed, ...error),
    );
  }
}

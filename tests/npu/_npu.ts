/**
 * The NPU interface in the shape of its header, for tests: statuses and texts as they come.
 *
 * @module
 */

import { openNativeLibrary } from "../../ffi/native_library.ts";
import { SOTTO_XRT_ABI, SOTTO_XRT_COUNTERS, XRT_SYMBOLS } from "../../ffi/xrt_symbols.ts";

type Symbols = Deno.DynamicLibrary<typeof XRT_SYMBOLS>["symbols"];
type Bytes = Uint8Array<ArrayBuffer>;

/** A native call that did not answer with 0. */
export class StatusError extends Error {
  /** @param status Of `enum sotto_xrt_status`. */
  constructor(readonly status: number, text: string) {
    super(text);
  }
}

/** What a call answered. */
export interface Answer<T> {
  readonly status: number;
  readonly text: string;
  readonly value: T;
}

const text = (bytes: Bytes) => new TextDecoder().decode(bytes.subarray(0, Math.max(0, bytes.indexOf(0))));
const sized = (value: string): [Bytes, bigint] => {
  const bytes = new TextEncoder().encode(value);
  return [bytes, BigInt(bytes.length)];
};

/** A kernel whose overlay is configured, and all that was made for it, oldest first. */
export interface Opened {
  readonly device: bigint;
  readonly overlay: bigint;
  readonly context: bigint;
  readonly kernel: bigint;
}

/** One library that has the interface. */
export class Npu {
  readonly #symbols: Symbols;

  /** @param given Path of the library; default the emulated one where the build put it. */
  constructor(given?: string) {
    this.#symbols = openNativeLibrary(
      { name: "sotto_npu_emulated", symbols: XRT_SYMBOLS, abiSymbol: "sotto_xrt_abi", abi: SOTTO_XRT_ABI },
      given,
    ).symbols;
  }

  get symbols(): Symbols {
    return this.#symbols;
  }

  /** A call whose last two parameters are the error's text; throws unless it answers 0. */
  async do(invoke: (symbols: Symbols, error: [Bytes, bigint]) => number | Promise<number>): Promise<void> {
    const { status, text } = await this.try(invoke);
    if (status !== 0) throw new StatusError(status, text);
  }

  /** The same, answering with what it answered. */
  async try(
    invoke: (symbols: Symbols, error: [Bytes, bigint]) => number | Promise<number>,
  ): Promise<{ status: number; text: string }> {
    const error = new Uint8Array(512);
    const status = await invoke(this.#symbols, [error, 512n]);
    return { status, text: text(error) };
  }

  /** A call that answers with a handle. */
  async make(
    invoke: (
      symbols: Symbols,
      handle: BigUint64Array<ArrayBuffer>,
      error: [Bytes, bigint],
    ) => number | Promise<number>,
  ): Promise<bigint> {
    const handle = new BigUint64Array(1);
    await this.do((symbols, error) => invoke(symbols, handle, error));
    return handle[0];
  }

  /** A call that answers with JSON. */
  async describe<T = Record<string, unknown>>(
    invoke: (s: Symbols, json: [Bytes, bigint], error: [Bytes, bigint]) => number | Promise<number>,
  ): Promise<T> {
    const json = new Uint8Array(4096);
    await this.do((symbols, error) => invoke(symbols, [json, 4096n], error));
    return JSON.parse(text(json));
  }

  configure(settings: string): Promise<void> {
    return this.do((s, e) => s.sotto_xrt_model_configure(...sized(settings), ...e));
  }

  device(): Promise<bigint> {
    return this.make((s, h, e) => s.sotto_xrt_device_open(0, h, ...e));
  }

  overlay(device: bigint, xclbin: Bytes): Promise<bigint> {
    return this.make((s, h, e) =>
      s.sotto_xrt_overlay_register(device, xclbin, BigInt(xclbin.length), h, ...e)
    );
  }

  context(overlay: bigint): Promise<bigint> {
    return this.make((s, h, e) => s.sotto_xrt_context_create(overlay, h, ...e));
  }

  kernel(context: bigint, name = "MLIR_AIE"): Promise<bigint> {
    return this.make((s, h, e) => s.sotto_xrt_kernel_open(context, ...sized(name), h, ...e));
  }

  async open(xclbin: Bytes): Promise<Opened> {
    const device = await this.device();
    const overlay = await this.overlay(device, xclbin);
    const context = await this.context(overlay);
    return { device, overlay, context, kernel: await this.kernel(context) };
  }

  buffer(kernel: bigint, argument: number, size: number): Promise<bigint> {
    return this.make((s, h, e) =>
      s.sotto_xrt_buffer_create(kernel, argument, argument === 1 ? 2 : 1, BigInt(size), h, ...e)
    );
  }

  write(buffer: bigint, bytes: ArrayBufferView<ArrayBuffer>, offset = 0): Promise<void> {
    const view = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return this.do((s, e) =>
      s.sotto_xrt_buffer_write(buffer, BigInt(offset), view, BigInt(view.length), ...e)
    );
  }

  async read(buffer: bigint, size: number, offset = 0): Promise<ArrayBuffer> {
    const bytes = new Uint8Array(size);
    await this.do((s, e) => s.sotto_xrt_buffer_read(buffer, BigInt(offset), bytes, BigInt(size), ...e));
    return bytes.buffer;
  }

  /** A run with an instruction stream and buffers as arguments 3, 4, …. */
  async run(kernel: bigint, words: Uint32Array<ArrayBuffer>, buffers: readonly bigint[]): Promise<bigint> {
    const code = await this.buffer(kernel, 1, words.byteLength);
    await this.write(code, words);
    const run = await this.make((s, h, e) => s.sotto_xrt_run_create(kernel, h, ...e));
    await this.do((s, e) => s.sotto_xrt_run_set_scalar(run, 0, 3n, ...e));
    await this.do((s, e) => s.sotto_xrt_run_set_buffer(run, 1, code, ...e));
    await this.do((s, e) => s.sotto_xrt_run_set_scalar(run, 2, BigInt(words.length), ...e));
    for (const [i, buffer] of buffers.entries()) {
      await this.do((s, e) => s.sotto_xrt_run_set_buffer(run, 3 + i, buffer, ...e));
    }
    this.destroy(code); // the run keeps it
    return run;
  }

  start(run: bigint): Promise<void> {
    return this.do((s, e) => s.sotto_xrt_run_start(run, ...e));
  }

  /** Waits, and answers with the status, the text and the run's state. */
  async wait(run: bigint, milliseconds = 0): Promise<Answer<number>> {
    const state = new Int32Array(1);
    const answer = await this.try((s, e) => s.sotto_xrt_run_wait(run, milliseconds, state, ...e));
    return { ...answer, value: state[0] };
  }

  /** Starts and waits; throws unless it completes. */
  async finish(run: bigint): Promise<void> {
    await this.start(run);
    const { status, text } = await this.wait(run);
    if (status !== 0) throw new StatusError(status, text);
  }

  async counters(handle: bigint): Promise<number[]> {
    const counters = new BigUint64Array(SOTTO_XRT_COUNTERS);
    await this.do((s, e) => s.sotto_xrt_counters(handle, counters, BigInt(SOTTO_XRT_COUNTERS), ...e));
    return Array.from(counters, Number);
  }

  destroy(...handles: bigint[]): void {
    for (const handle of handles) {
      const status = this.#symbols.sotto_xrt_destroy(handle);
      if (status !== 0) throw new StatusError(status, "destroy");
    }
  }

  /** Frees what {@linkcode open} made. */
  close({ device, overlay, context, kernel }: Opened): void {
    this.destroy(kernel, context, overlay, device);
  }
}

/** An instruction stream as the toolchain writes it: a hexadecimal word a line. */
export async function readStream(path: string): Promise<Uint32Array<ArrayBuffer>> {
  return Uint32Array.from((await Deno.readTextFile(path)).trim().split(/\s+/), (word) => parseInt(word, 16));
}

/**
 * Passes over rows on a context's threads, straight from and into the NPU's mapped buffers.
 *
 * @module
 */

import { SottoError } from "../errors.ts";
import { type RowsPass, type RowsWorker, sourceBytes, targetBytes } from "./rows_pass.ts";
import type { ContextCall } from "./cpu_formats.ts";
import type { CpuSymbols } from "./cpu_functions.ts";
import { SOTTO_ROWS_WORDS, SottoRowsSource, SottoRowsTarget } from "./cpu_symbols.ts";
import { sized } from "./native_call.ts";
import type { XrtBuffer } from "./xrt_objects.ts";

const SOURCES = {
  f32: SottoRowsSource.SOTTO_ROWS_FROM_F32,
  i32: SottoRowsSource.SOTTO_ROWS_FROM_I32,
  bf16: SottoRowsSource.SOTTO_ROWS_FROM_BF16,
} as const;

const TARGETS = {
  f32: SottoRowsTarget.SOTTO_ROWS_F32,
  bf16: SottoRowsTarget.SOTTO_ROWS_BF16,
  bfp16: SottoRowsTarget.SOTTO_ROWS_BFP16,
  i8: SottoRowsTarget.SOTTO_ROWS_I8,
} as const;

const NONE = new Float32Array(0);
const NO_BYTES = new Uint8Array(0);

function bytesOf(array: Float32Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/** The native side is given an address, and cannot see how far it may go. */
function requireRoom(name: string, buffer: XrtBuffer, offset: number, bytes: number): void {
  if (offset >= 0 && offset % 4 === 0 && offset + bytes <= buffer.size) return;
  throw new SottoError(
    "E_NATIVE",
    `Cannot pass over rows: the ${name} must have ${bytes} bytes from ${offset}, a multiple of 4, on: got ${buffer.size}`,
  );
}

/** Passes over rows by native code. */
export class CpuRows implements RowsWorker {
  readonly #symbols: CpuSymbols;
  readonly #call: ContextCall;

  /** @param call Makes a call on the context. */
  constructor(symbols: CpuSymbols, call: ContextCall) {
    this.#symbols = symbols;
    this.#call = call;
  }

  async pass(pass: RowsPass): Promise<void> {
    const { rows, columns, source, target, norm } = pass;
    const [from, to] = [source.from, target?.to];
    const isArray = from instanceof Float32Array;
    const [skipped, left] = [source.offset ?? 0, target?.offset ?? 0];
    const shape = BigInt64Array.from([
      rows,
      columns,
      SOURCES[source.type],
      source.stride,
      isArray ? 0n : from.address + BigInt(skipped),
      Number(pass.gelu),
      target ? TARGETS[target.type] : SottoRowsTarget.SOTTO_ROWS_NONE,
      target?.stride ?? 0,
      target?.rows ?? 0,
      target?.firstRow ?? 0,
      to === undefined || to instanceof Float32Array ? 0n : to.address + BigInt(left),
      target?.tile?.[0] ?? 0,
      target?.tile?.[1] ?? 0,
    ], BigInt);
    if (shape.length !== SOTTO_ROWS_WORDS) throw new Error("the words of a pass are not the header's");
    if (!isArray) requireRoom("source", from, skipped, sourceBytes(pass));
    if (target && to !== undefined && !(to instanceof Float32Array)) {
      requireRoom("target", to, left, targetBytes(target));
    }
    if (!isArray) await from.syncFromDevice(sourceBytes(pass), skipped);
    const symbol = "sotto_cpu_rows_pass";
    await this.#call(symbol, (context, error) =>
      this.#symbols[symbol](
        context,
        ...sized(shape),
        ...sized(isArray ? bytesOf(from) : NO_BYTES),
        ...sized(pass.rowScales ?? NONE),
        ...sized(pass.columnScales ?? NONE),
        ...sized(pass.bias ?? NONE),
        ...sized(pass.addend ?? NONE),
        ...sized(pass.out ?? NONE),
        ...sized(norm?.weight ?? NONE),
        ...sized(norm?.bias ?? NONE),
        ...sized(to instanceof Float32Array ? bytesOf(to) : NO_BYTES),
        ...sized(target?.scales ?? NONE),
        ...error,
      ));
    if (target && !(to instanceof Float32Array)) await to!.syncToDevice(targetBytes(target), left);
  }
}

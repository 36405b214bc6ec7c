/**
 * Conversions between number formats on a context's threads. They give the bits of `tensor/`.
 *
 * @module
 */

import { bfp16Bytes, type Bfp16Layout } from "../tensor/bfp16_layout.ts";
import type { PackBfp16Options } from "../tensor/bfp16.ts";
import type { Formats } from "../tensor/formats.ts";
import {
  type Quantized,
  type QuantizeOptions,
  requireScales,
  scalesOf,
  topCode,
} from "../tensor/integers.ts";
import { blockCount, requireLength, scaleGrid } from "../tensor/quantization.ts";
import { rangesOf } from "../tensor/ranges.ts";
import type { CpuSymbols } from "./cpu_functions.ts";
import { SOTTO_BFP16_LAYOUT_WORDS, SottoI8Scheme } from "./cpu_symbols.ts";
import { type ErrorText, sized } from "./native_call.ts";

/** Makes a nonblocking call on a context. */
export type ContextCall = (
  symbol: string,
  invoke: (context: bigint, error: ErrorText) => Promise<number>,
) => Promise<void>;

/** Number formats by native code. */
export class CpuFormats implements Formats {
  readonly name: string;
  readonly #symbols: CpuSymbols;
  readonly #call: ContextCall;

  /**
   * @param symbols The library's functions.
   * @param call Makes a call on the context.
   * @param variant The context's kernels, such as `avx2`.
   */
  constructor(symbols: CpuSymbols, call: ContextCall, variant: string) {
    this.name = `cpu (${variant})`;
    this.#symbols = symbols;
    this.#call = call;
  }

  async toBf16(
    values: Float32Array<ArrayBuffer>,
    codes: Uint16Array<ArrayBuffer> = new Uint16Array(values.length),
  ): Promise<Uint16Array<ArrayBuffer>> {
    requireLength("codes", codes, values.length);
    const symbol = "sotto_cpu_convert_f32_to_bf16";
    await this.#call(
      symbol,
      (context, error) => this.#symbols[symbol](context, ...sized(values), ...sized(codes), ...error),
    );
    return codes;
  }

  async fromBf16(
    codes: Uint16Array<ArrayBuffer>,
    out: Float32Array<ArrayBuffer> = new Float32Array(codes.length),
  ): Promise<Float32Array<ArrayBuffer>> {
    requireLength("out", out, codes.length);
    const symbol = "sotto_cpu_convert_bf16_to_f32";
    await this.#call(
      symbol,
      (context, error) => this.#symbols[symbol](context, ...sized(codes), ...sized(out), ...error),
    );
    return out;
  }

  async packBfp16(
    values: Float32Array<ArrayBuffer>,
    layout: Bfp16Layout,
    options: PackBfp16Options = {},
  ): Promise<Uint8Array<ArrayBuffer>> {
    const { rounding = "nearest", transposed = false, out = new Uint8Array(bfp16Bytes(layout)) } = options;
    requireLength("values", values, layout.rows * layout.columns);
    requireLength("out", out, bfp16Bytes(layout));
    const symbol = "sotto_cpu_convert_f32_to_bfp16";
    await this.#call(symbol, (context, error) =>
      this.#symbols[symbol](
        context,
        ...sized(values),
        layout.rows,
        layout.columns,
        Number(transposed),
        Number(rounding === "nearest"),
        ...sized(layoutWords(layout)),
        ...sized(out),
        ...error,
      ));
    return out;
  }

  async unpackBfp16(
    bytes: Uint8Array<ArrayBuffer>,
    layout: Bfp16Layout,
    out: Float32Array<ArrayBuffer> = new Float32Array(layout.rows * layout.columns),
  ): Promise<Float32Array<ArrayBuffer>> {
    requireLength("bytes", bytes, bfp16Bytes(layout));
    requireLength("out", out, layout.rows * layout.columns);
    const symbol = "sotto_cpu_convert_bfp16_to_f32";
    await this.#call(symbol, (context, error) =>
      this.#symbols[symbol](
        context,
        ...sized(bytes),
        layout.rows,
        layout.columns,
        ...sized(layoutWords(layout)),
        ...sized(out),
        ...error,
      ));
    return out;
  }

  async quantizeInt8(
    values: Float32Array<ArrayBuffer>,
    [rows, columns]: readonly [rows: number, columns: number],
    options: QuantizeOptions = {},
    codes: Int8Array<ArrayBuffer> = new Int8Array(values.length),
  ): Promise<Quantized<8>> {
    const { granularity = "tensor", symmetric = true, range = "max" } = options;
    const grid = scaleGrid(rows, columns, granularity);
    requireLength("values", values, rows * columns);
    requireLength("codes", codes, rows * columns);
    const { total } = blockCount(grid);
    const isGiven = range !== "max"; // searches are rare, and done once for weights: they stay in TypeScript
    const { scales, zeroPoints } = isGiven
      ? scalesOf(rangesOf(values, grid, range, { symmetric, top: topCode(8) }), symmetric)
      : { scales: new Float32Array(total), zeroPoints: symmetric ? null : new Int32Array(total) };
    const scheme = isGiven
      ? SottoI8Scheme.SOTTO_I8_GIVEN
      : symmetric
      ? SottoI8Scheme.SOTTO_I8_SYMMETRIC
      : SottoI8Scheme.SOTTO_I8_ASYMMETRIC;
    const symbol = "sotto_cpu_convert_f32_to_i8";
    await this.#call(symbol, (context, error) =>
      this.#symbols[symbol](
        context,
        ...sized(values),
        rows,
        columns,
        grid.blockRows,
        grid.blockColumns,
        scheme,
        ...sized(scales),
        ...sized(zeroPoints ?? new Int32Array(0)),
        ...sized(codes),
        ...error,
      ));
    return { ...grid, scales, zeroPoints, codes };
  }

  async dequantizeInt8(
    quantized: Quantized<8>,
    out: Float32Array<ArrayBuffer> = new Float32Array(quantized.codes.length),
  ): Promise<Float32Array<ArrayBuffer>> {
    const { rows, columns, blockRows, blockColumns, codes, scales, zeroPoints } = quantized;
    requireLength("codes", codes, rows * columns);
    requireLength("out", out, rows * columns);
    requireScales(quantized, quantized, 8);
    const symbol = "sotto_cpu_convert_i8_to_f32";
    await this.#call(symbol, (context, error) =>
      this.#symbols[symbol](
        context,
        ...sized(codes),
        rows,
        columns,
        blockRows,
        blockColumns,
        ...sized(scales),
        ...sized(zeroPoints ?? new Int32Array(0)),
        ...sized(out),
        ...error,
      ));
    return out;
  }
}

/** A layout in the words that the library takes. */
function layoutWords(layout: Bfp16Layout): Int32Array<ArrayBuffer> {
  const words = new Int32Array(SOTTO_BFP16_LAYOUT_WORDS);
  const { order, storedRows, storedColumns, tileRows, tileColumns } = layout;
  words.set([Number(order === "dim32"), storedRows, storedColumns, tileRows, tileColumns]);
  return words;
}

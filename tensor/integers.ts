/**
 * INT8 and INT16: value = (code − zero point) · scale; each block of a matrix has a scale and a zero point.
 *
 * | | codes | scale of the range [low, high] | zero point |
 * | --- | --- | --- | --- |
 * | symmetric | −t … t, t = 127 or 32767 | max(−low, high) / t | 0 |
 * | asymmetric | −t−1 … t | (high − low) / (2t + 1) | round(−t − 1 − low / scale), kept among the codes |
 *
 * The symmetric code −t−1 is never used, so that −x has the negative code of x. A scale is the quotient (a
 * double) rounded to F32, at least 2^-126, so that its reciprocal is finite; a block of zeros has that scale.
 *
 * The code of x is round(x · (1 / scale)) + zero point, kept among the codes: reciprocal and product are each
 * rounded to F32, then halves go to even. ±∞ get the outermost codes; NaN gets the code of 0.
 *
 * @module
 */

import { SottoError } from "../errors.ts";
import { blockCount, type Granularity, requireLength, type ScaleGrid, scaleGrid } from "./quantization.ts";
import { type RangeMethod, type Ranges, rangesOf } from "./ranges.ts";
import { roundEven } from "./round_even.ts";

/** Width of a code. */
export type CodeBits = 8 | 16;

/** The codes of a matrix: Int8Array or Int16Array. */
export type Codes<Bits extends CodeBits> = Bits extends 8 ? Int8Array<ArrayBuffer> : Int16Array<ArrayBuffer>;

/** How a matrix becomes integers. */
export interface QuantizeOptions {
  /** Default `tensor`. */
  readonly granularity?: Granularity;
  /** Default true. */
  readonly symmetric?: boolean;
  /** Default `max`. */
  readonly range?: RangeMethod;
}

/** The scale and the zero point of each block. */
export interface Scales {
  /** F32 [blocks], each in 2^-126 … 2^128. */
  readonly scales: Float32Array<ArrayBuffer>;
  /** [blocks], or null where all are 0 because the scheme is symmetric. */
  readonly zeroPoints: Int32Array<ArrayBuffer> | null;
}

/** A matrix of integers. */
export interface Quantized<Bits extends CodeBits = CodeBits> extends Scales, ScaleGrid {
  /** [rows, columns]. */
  readonly codes: Codes<Bits>;
}

/** Least scale: the reciprocal of anything smaller could be infinite. */
const LEAST_SCALE = 2 ** -126;

/** The largest code of that width. */
export function topCode(bits: CodeBits): number {
  return bits === 8 ? 127 : 32767;
}

/** Scales and zero points for ranges. */
export function scalesOf({ low, high }: Ranges, symmetric: boolean, bits: CodeBits = 8): Scales {
  const top = topCode(bits);
  const scales = new Float32Array(low.length);
  const zeroPoints = symmetric ? null : new Int32Array(low.length);
  for (let i = 0; i < scales.length; i++) {
    const step = symmetric ? Math.max(-low[i], high[i]) / top : (high[i] - low[i]) / (2 * top + 1);
    scales[i] = Math.max(Math.fround(step), LEAST_SCALE);
    if (zeroPoints) {
      zeroPoints[i] = Math.min(Math.max(roundEven(-top - 1 - low[i] / scales[i]), -top - 1), top);
    }
  }
  return { scales, zeroPoints };
}

/**
 * Quantizes a matrix to INT8.
 *
 * @param values F32 [rows, columns].
 * @param codes INT8 [rows, columns], written; default new memory.
 * @throws {SottoError} E_OPTION if sizes do not fit.
 */
export function quantizeInt8(
  values: Float32Array,
  shape: readonly [rows: number, columns: number],
  options: QuantizeOptions = {},
  codes?: Int8Array<ArrayBuffer>,
): Quantized<8> {
  const { grid, scales } = gridAndScales(values, shape, options, 8);
  return quantizeInt8With(values, grid, scales, codes);
}

/** Quantizes a matrix to INT16; as {@linkcode quantizeInt8}. */
export function quantizeInt16(
  values: Float32Array,
  shape: readonly [rows: number, columns: number],
  options: QuantizeOptions = {},
): Quantized<16> {
  const { grid, scales } = gridAndScales(values, shape, options, 16);
  const codes = new Int16Array(values.length);
  encode(values, grid, scales, topCode(16), codes);
  return { ...grid, ...scales, codes };
}

/**
 * Quantizes a matrix to INT8 with scales that are known, such as calibrated ones.
 *
 * @throws {SottoError} E_OPTION if sizes do not fit, a scale is not in 2^-126 … 2^128, or a zero point not in
 * −128…127.
 */
export function quantizeInt8With(
  values: Float32Array,
  grid: ScaleGrid,
  scales: Scales,
  codes: Int8Array<ArrayBuffer> = new Int8Array(values.length),
): Quantized<8> {
  requireLength("values", values, grid.rows * grid.columns);
  requireLength("codes", codes, values.length);
  requireScales(grid, scales, 8);
  encode(values, grid, scales, topCode(8), codes);
  const { rows, columns, blockRows, blockColumns } = grid;
  return {
    rows,
    columns,
    blockRows,
    blockColumns,
    scales: scales.scales,
    zeroPoints: scales.zeroPoints,
    codes,
  };
}

function gridAndScales(
  values: Float32Array,
  [rows, columns]: readonly [number, number],
  { granularity = "tensor", symmetric = true, range = "max" }: QuantizeOptions,
  bits: CodeBits,
): { readonly grid: ScaleGrid; readonly scales: Scales } {
  const grid = scaleGrid(rows, columns, granularity);
  const ranges = rangesOf(values, grid, range, { symmetric, top: topCode(bits) });
  return { grid, scales: scalesOf(ranges, symmetric, bits) };
}

/**
 * Refuses scales and zero points that do not fit a grid or its codes.
 *
 * @throws {SottoError} E_OPTION.
 */
export function requireScales(grid: ScaleGrid, { scales, zeroPoints }: Scales, bits: CodeBits): void {
  const { total } = blockCount(grid);
  requireLength("scales", scales, total);
  if (zeroPoints) requireLength("zero points", zeroPoints, total);
  const bad = scales.findIndex((scale) => !(scale >= LEAST_SCALE && scale < Infinity));
  if (bad >= 0) {
    throw new SottoError("E_OPTION", `Cannot quantize: scales must be in 2^-126 … 2^128, got ${scales[bad]}`);
  }
  const top = topCode(bits);
  const outside = zeroPoints?.find((zero) => zero < -top - 1 || zero > top);
  if (outside !== undefined) {
    throw new SottoError(
      "E_OPTION",
      `Cannot quantize: zero points must be ${-top - 1} to ${top}, got ${outside}`,
    );
  }
}

function encode(
  values: Float32Array,
  grid: ScaleGrid,
  { scales, zeroPoints }: Scales,
  top: number,
  codes: Int8Array | Int16Array,
): void {
  const { rows, columns, blockRows, blockColumns } = grid;
  const { perRow } = blockCount(grid);
  const bottom = zeroPoints ? -top - 1 : -top;
  for (let r = 0; r < rows; r++) {
    const first = Math.floor(r / blockRows) * perRow;
    for (let b = 0; b < perRow; b++) {
      const zero = zeroPoints ? zeroPoints[first + b] : 0;
      const reciprocal = Math.fround(1 / scales[first + b]);
      const least = bottom - zero;
      const most = top - zero;
      const begin = r * columns + b * blockColumns;
      for (let i = begin; i < begin + blockColumns; i++) {
        const x = Math.fround(values[i] * reciprocal);
        const kept = x < least ? least : x > most ? most : x === x ? x : 0;
        codes[i] = roundEven(kept) + zero;
      }
    }
  }
}

/**
 * The values that codes stand for, each rounded to F32 once.
 *
 * @param out F32 [rows, columns]; default new memory.
 * @throws {SottoError} E_OPTION if sizes do not fit.
 */
export function dequantizeIntegers(
  quantized: Quantized,
  out: Float32Array<ArrayBuffer> = new Float32Array(quantized.codes.length),
): Float32Array<ArrayBuffer> {
  const { rows, columns, blockRows, blockColumns, codes, scales, zeroPoints } = quantized;
  const { perRow } = blockCount(quantized);
  requireLength("codes", codes, rows * columns);
  requireLength("out", out, rows * columns);
  requireScales(quantized, quantized, codes instanceof Int8Array ? 8 : 16);
  for (let r = 0; r < rows; r++) {
    const first = Math.floor(r / blockRows) * perRow;
    for (let b = 0; b < perRow; b++) {
      const scale = scales[first + b];
      const zero = zeroPoints ? zeroPoints[first + b] : 0;
      const begin = r * columns + b * blockColumns;
      for (let i = begin; i < begin + blockColumns; i++) out[i] = (codes[i] - zero) * scale;
    }
  }
  return out;
}

/**
 * BFP16, XDNA2's block floating point `bfp16ebs8`: 9 bytes for 8 consecutive values of a row, first the
 * shared exponent e, then eight two's-complement mantissas m.
 *
 *     value = m · 2^(e − 127) / 64 = m · 2^(e − 133)
 *
 * **e** is the largest biased exponent field of the eight F32 (0 for zeros and subnormals, 255 for infinities
 * and NaN).
 *
 * **m** is the value divided by 2^(e − 133), rounded once:
 * - `truncate`: towards −∞, −128…127, as the hardware does when it shifts two's complement.
 * - `nearest`: halves to even. Where the largest of the eight would become ±128, which is 64 · 2, e is one
 *   more and all eight are rounded with that e instead; so m is −127…127, and the block of −x has the
 *   negative mantissas.
 *
 * The formula holds without exception for zeros (−0 becomes 0) and for subnormals, whose e is 0: 2^(0 − 133)
 * divides them exactly as it divides the smallest normal numbers. (The toolchain's host code gives subnormals
 * half of their value.)
 *
 * Where e = 255 a block goes on to hold NaN and infinities: m = 64 means ∞, −64 means −∞, −128 means NaN, and
 * a smaller magnitude is a finite value like any other. So a value that rounds past the largest F32 becomes
 * infinite, as in BF16. A decoder takes any larger magnitude for NaN. What real hardware does there is not
 * published.
 *
 * @module
 */

import { BFP16_BLOCK, BFP16_BLOCK_BYTES, bfp16Bytes, type Bfp16Layout, bfp16Offset } from "./bfp16_layout.ts";
import { requireLength } from "./quantization.ts";
import { roundEven } from "./round_even.ts";

/** How a mantissa is rounded. */
export type Bfp16Rounding = "nearest" | "truncate";

/** How a matrix is packed. */
export interface PackBfp16Options {
  /** Default `nearest`. */
  readonly rounding?: Bfp16Rounding;
  /** True if the values are [columns, rows]: a right operand [K, N] that is to be packed as [N, K]. */
  readonly transposed?: boolean;
  /** Where the bytes go; default new memory. */
  readonly out?: Uint8Array<ArrayBuffer>;
}

/** The exponent of a block with NaN or infinities. */
const SPECIAL = 255;
const NAN_MANTISSA = -128;
const INFINITY_MANTISSA = 64;
/** Bits of an F32 that count from here on belong to normal numbers. */
const LEAST_NORMAL = 0x00800000;

/**
 * The exponent of a block, from the bits of its largest magnitude.
 *
 * To nearest, the largest mantissa becomes 128 where its bits below the seventh round up past all ones:
 * adding half of the seventh bit's step then carries into the exponent. A subnormal's seventh bit is one
 * place lower, as it has no hidden bit.
 */
function exponentOf(largestBits: number, rounding: Bfp16Rounding): number {
  if (rounding === "truncate") return largestBits >>> 23;
  return Math.min((largestBits + (largestBits < LEAST_NORMAL ? 0x8000 : 0x10000)) >>> 23, SPECIAL);
}

/** 2^(133 − e) and 2^(e − 133) as doubles, for each e. */
const UNITS: Float64Array = Float64Array.from({ length: 256 }, (_, e) => 2 ** (e - 133));
const RECIPROCALS: Float64Array = Float64Array.from({ length: 256 }, (_, e) => 2 ** (133 - e));

/**
 * Packs a matrix.
 *
 * @param values F32 [rows, columns], or [columns, rows] if transposed.
 * @returns The bytes, as the layout says; padding is zeros.
 * @throws {SottoError} E_OPTION if sizes do not fit.
 */
export function packBfp16(
  values: Float32Array,
  layout: Bfp16Layout,
  options: PackBfp16Options = {},
): Uint8Array<ArrayBuffer> {
  const { rounding = "nearest", transposed = false, out = new Uint8Array(bfp16Bytes(layout)) } = options;
  const { rows, columns, storedRows, storedColumns } = layout;
  requireLength("values", values, rows * columns);
  requireLength("out", out, bfp16Bytes(layout));
  if (storedRows !== rows || storedColumns !== columns) out.fill(0);
  const [rowStride, columnStride] = transposed ? [1, rows] : [columns, 1];
  const mantissas = new Int8Array(out.buffer, out.byteOffset, out.length);
  const block = new Float32Array(BFP16_BLOCK);
  const bits = new Uint32Array(block.buffer);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c += BFP16_BLOCK) {
      const count = Math.min(BFP16_BLOCK, columns - c);
      let largest = 0;
      for (let i = 0; i < BFP16_BLOCK; i++) {
        block[i] = i < count ? values[r * rowStride + (c + i) * columnStride] : 0;
        largest = Math.max(largest, bits[i] & 0x7fffffff);
      }
      const e = exponentOf(largest, rounding);
      const at = bfp16Offset(layout, r, c / BFP16_BLOCK);
      out[at] = e;
      if (e === SPECIAL) {
        for (let i = 0; i < BFP16_BLOCK; i++) mantissas[at + 1 + i] = specialMantissa(block[i], rounding);
      } else {
        const reciprocal = RECIPROCALS[e];
        for (let i = 0; i < BFP16_BLOCK; i++) {
          const m = block[i] * reciprocal; // exact: a power of two, in double precision
          mantissas[at + 1 + i] = rounding === "nearest" ? roundEven(m) : Math.floor(m);
        }
      }
    }
  }
  return out;
}

/** The mantissa of a value in a block with e = 255. */
function specialMantissa(value: number, rounding: Bfp16Rounding): number {
  if (value !== value) return NAN_MANTISSA;
  const m = Math.min(Math.max(value * RECIPROCALS[SPECIAL], -INFINITY_MANTISSA), INFINITY_MANTISSA);
  return rounding === "nearest" ? roundEven(m) : Math.floor(m);
}

/**
 * The values of a packed matrix, each exact (beyond the largest F32: infinite).
 *
 * @param out F32 [rows, columns]; default new memory.
 * @throws {SottoError} E_OPTION if sizes do not fit.
 */
export function unpackBfp16(
  bytes: Uint8Array<ArrayBuffer>,
  layout: Bfp16Layout,
  out: Float32Array<ArrayBuffer> = new Float32Array(layout.rows * layout.columns),
): Float32Array<ArrayBuffer> {
  const { rows, columns } = layout;
  requireLength("bytes", bytes, bfp16Bytes(layout));
  requireLength("out", out, rows * columns);
  const mantissas = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c += BFP16_BLOCK) {
      const at = bfp16Offset(layout, r, c / BFP16_BLOCK);
      const e = bytes[at];
      const count = Math.min(BFP16_BLOCK, columns - c);
      for (let i = 0; i < count; i++) {
        const m = mantissas[at + 1 + i];
        out[r * columns + c + i] = e === SPECIAL && Math.abs(m) > INFINITY_MANTISSA ? NaN : m * UNITS[e];
      }
    }
  }
  return out;
}

/** Bytes of one block, for those who walk a packed matrix themselves: the exponent, then the mantissas. */
export function bfp16Block(
  bytes: Uint8Array<ArrayBuffer>,
  layout: Bfp16Layout,
  row: number,
  block: number,
): Uint8Array<ArrayBuffer> {
  const at = bfp16Offset(layout, row, block);
  return bytes.subarray(at, at + BFP16_BLOCK_BYTES);
}

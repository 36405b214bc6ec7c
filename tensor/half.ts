/**
 * Conversions between F32 and the two 16-bit float types: F16 (IEEE 754 binary16) and BF16 (the upper half of
 * an F32).
 *
 * @module
 */

import { requireLength } from "./quantization.ts";

let f16Values: Float32Array<ArrayBuffer> | null = null;

/**
 * The F32 value of each of the 65,536 F16 codes, built at first use: reading it is twice as fast as reading a
 * Float16Array element by element.
 */
export function f16Table(): Float32Array<ArrayBuffer> {
  f16Values ??= new Float32Array(
    new Float16Array(Uint16Array.from({ length: 65536 }, (_, code) => code).buffer),
  );
  return f16Values;
}

/** Widens F16 codes to F32, exactly. */
export function f16ToFloat32(codes: Uint16Array): Float32Array<ArrayBuffer> {
  const table = f16Table();
  const values = new Float32Array(codes.length);
  for (let i = 0; i < codes.length; i++) values[i] = table[codes[i]];
  return values;
}

/**
 * Widens BF16 codes to F32, exactly.
 *
 * @param out As long as the codes; default new memory.
 * @throws {SottoError} E_OPTION if it is not.
 */
export function bf16ToFloat32(
  codes: Uint16Array,
  out: Float32Array<ArrayBuffer> = new Float32Array(codes.length),
): Float32Array<ArrayBuffer> {
  requireLength("out", out, codes.length);
  const bits = new Uint32Array(out.buffer, out.byteOffset, out.length);
  for (let i = 0; i < codes.length; i++) bits[i] = codes[i] << 16;
  return out;
}

/** Narrows F32 to F16 codes, to the nearest and halves to even; what is too large becomes infinite. */
export function float32ToF16(values: Float32Array): Uint16Array<ArrayBuffer> {
  return new Uint16Array(new Float16Array(values).buffer);
}

/**
 * Narrows F32 to BF16 codes, to the nearest and halves to even; a NaN stays a (quiet) NaN.
 *
 * @param codes As long as the values; default new memory.
 * @throws {SottoError} E_OPTION if it is not.
 */
export function float32ToBf16(
  values: Float32Array,
  codes: Uint16Array<ArrayBuffer> = new Uint16Array(values.length),
): Uint16Array<ArrayBuffer> {
  requireLength("codes", codes, values.length);
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < values.length; i++) {
    const word = bits[i];
    const isNaN = (word & 0x7fffffff) > 0x7f800000;
    // Adding 0x7fff, and one more where the kept part is odd, carries into it exactly when rounding goes up.
    codes[i] = isNaN ? (word >>> 16) | 0x40 : (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
  }
  return codes;
}

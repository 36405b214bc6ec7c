/**
 * The conversions that stand between F32 and a device, by whoever can do them: plain TypeScript here, native
 * code in `ffi/cpu_formats.ts`. All give the same bits.
 *
 * @module
 */

import { packBfp16, type PackBfp16Options, unpackBfp16 } from "./bfp16.ts";
import type { Bfp16Layout } from "./bfp16_layout.ts";
import { bf16ToFloat32, float32ToBf16 } from "./half.ts";
import { dequantizeIntegers, type Quantized, quantizeInt8, type QuantizeOptions } from "./integers.ts";

/**
 * Conversions between F32 and other formats; arrays in and out are as their namesakes of `tensor/` say. Those
 * who convert often give the array to write into: new memory costs more than the conversion.
 */
export interface Formats {
  /** `portable`, or the native kernels in use, such as `cpu (avx2)`. */
  readonly name: string;
  /** As {@linkcode float32ToBf16}. */
  toBf16(
    values: Float32Array<ArrayBuffer>,
    codes?: Uint16Array<ArrayBuffer>,
  ): Promise<Uint16Array<ArrayBuffer>>;
  /** As {@linkcode bf16ToFloat32}. */
  fromBf16(
    codes: Uint16Array<ArrayBuffer>,
    out?: Float32Array<ArrayBuffer>,
  ): Promise<Float32Array<ArrayBuffer>>;
  /** As {@linkcode packBfp16}. */
  packBfp16(
    values: Float32Array<ArrayBuffer>,
    layout: Bfp16Layout,
    options?: PackBfp16Options,
  ): Promise<Uint8Array<ArrayBuffer>>;
  /** As {@linkcode unpackBfp16}. */
  unpackBfp16(
    bytes: Uint8Array<ArrayBuffer>,
    layout: Bfp16Layout,
    out?: Float32Array<ArrayBuffer>,
  ): Promise<Float32Array<ArrayBuffer>>;
  /** As {@linkcode quantizeInt8}. */
  quantizeInt8(
    values: Float32Array<ArrayBuffer>,
    shape: readonly [rows: number, columns: number],
    options?: QuantizeOptions,
    codes?: Int8Array<ArrayBuffer>,
  ): Promise<Quantized<8>>;
  /** As {@linkcode dequantizeIntegers}. */
  dequantizeInt8(
    quantized: Quantized<8>,
    out?: Float32Array<ArrayBuffer>,
  ): Promise<Float32Array<ArrayBuffer>>;
}

/** Plain TypeScript: the reference, and what there is where no library can be opened. */
export const PORTABLE_FORMATS: Formats = {
  name: "portable",
  toBf16: (values, codes) => resolved(() => float32ToBf16(values, codes)),
  fromBf16: (codes, out) => resolved(() => bf16ToFloat32(codes, out)),
  packBfp16: (values, layout, options) => resolved(() => packBfp16(values, layout, options)),
  unpackBfp16: (bytes, layout, out) => resolved(() => unpackBfp16(bytes, layout, out)),
  quantizeInt8: (values, shape, options, codes) =>
    resolved(() => quantizeInt8(values, shape, options, codes)),
  dequantizeInt8: (quantized, out) => resolved(() => dequantizeIntegers(quantized, out)),
};

/** A refusal becomes a rejection, never a throw, as it does where the work is native. */
function resolved<T>(work: () => T): Promise<T> {
  return Promise.resolve().then(work);
}

/**
 * What a tensor becomes on its way through a number format and back: F32 in place, for accuracy studies.
 *
 * @module
 */

import { bfp16Layout } from "./bfp16_layout.ts";
import { type Bfp16Rounding, packBfp16, unpackBfp16 } from "./bfp16.ts";
import { bf16ToFloat32, float32ToBf16 } from "./half.ts";
import { dequantizeIntegers, quantizeInt16, quantizeInt8, type QuantizeOptions } from "./integers.ts";
import { requireLength } from "./quantization.ts";

/** A number format with its parameters. */
export type SimulatedFormat =
  | { readonly format: "bf16" }
  | { readonly format: "bfp16"; readonly rounding?: Bfp16Rounding }
  | ({ readonly format: "int8" | "int16" } & QuantizeOptions);

/**
 * Replaces each value by what the format makes of it.
 *
 * @param values F32 [rows, columns], overwritten. BFP16 takes blocks of 8 along a row, the last one filled
 * with zeros.
 * @returns `values`.
 * @throws {SottoError} E_OPTION if sizes or options do not fit.
 */
export function simulate(
  values: Float32Array<ArrayBuffer>,
  [rows, columns]: readonly [rows: number, columns: number],
  format: SimulatedFormat,
): Float32Array<ArrayBuffer> {
  requireLength("values", values, rows * columns);
  switch (format.format) {
    case "bf16":
      values.set(bf16ToFloat32(float32ToBf16(values)));
      return values;
    case "bfp16": {
      const layout = bfp16Layout(rows, columns);
      return unpackBfp16(packBfp16(values, layout, { rounding: format.rounding }), layout, values);
    }
    case "int8":
      return dequantizeIntegers(quantizeInt8(values, [rows, columns], format), values);
    case "int16":
      return dequantizeIntegers(quantizeInt16(values, [rows, columns], format), values);
  }
}

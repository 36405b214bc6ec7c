/**
 * Number formats: F32 into BF16, BFP16, INT8 and INT16 and back, and how far the result is from what it was.
 *
 * @module
 */

export { bfp16Block, type Bfp16Rounding, packBfp16, type PackBfp16Options, unpackBfp16 } from "./bfp16.ts";
export {
  BFP16_BLOCK,
  BFP16_BLOCK_BYTES,
  bfp16Bytes,
  type Bfp16Layout,
  bfp16Layout,
  type Bfp16LayoutOptions,
  bfp16Offset,
  type Bfp16Order,
  SUBTILE_BYTES,
  SUBTILE_ROWS,
} from "./bfp16_layout.ts";
export { compare, type Comparison, type ErrorHistogram } from "./compare.ts";
export { reorderBfp16, shuffleDim32, unshuffleDim32 } from "./dim32.ts";
export { type Formats, PORTABLE_FORMATS } from "./formats.ts";
export { bf16ToFloat32, f16ToFloat32, float32ToBf16, float32ToF16 } from "./half.ts";
export { type IntegerProduct, multiplyIntegers, multiplyQuantized } from "./integer_product.ts";
export {
  type CodeBits,
  type Codes,
  dequantizeIntegers,
  type Quantized,
  quantizeInt16,
  quantizeInt8,
  quantizeInt8With,
  type QuantizeOptions,
  type Scales,
  scalesOf,
} from "./integers.ts";
export { cropMatrix, type MatrixArray, padMatrix, roundUp } from "./pad.ts";
export { blockCount, type Granularity, type ScaleGrid, scaleGrid } from "./quantization.ts";
export { type CodeRange, type RangeMethod, type Ranges, rangesOf } from "./ranges.ts";
export { simulate, type SimulatedFormat } from "./simulate.ts";
export { toFloat32 } from "./to_float32.ts";
export type { StoredDtype } from "../model/weights.ts";

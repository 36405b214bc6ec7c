/**
 * ggml's quantised blocks to F32. Each block holds 32 consecutive values of a row (ggml: `ggml-common.h`):
 *
 * | type | bytes of a block | value |
 * | --- | --- | --- |
 * | Q8_0 | d f16, q int8 [32] | d · q |
 * | Q4_0 | d f16, q 4 bits [32] | d · (q − 8) |
 * | Q4_1 | d f16, m f16, q 4 bits [32] | d · q + m |
 * | Q5_0 | d f16, fifth bits u32, q 4 bits [32] | d · (q − 16) |
 * | Q5_1 | d f16, m f16, fifth bits u32, q 4 bits [32] | d · q + m |
 *
 * Byte j of the four-bit codes holds value j in its low half and value j + 16 in its high half; bit j of the
 * fifth bits belongs to value j.
 *
 * @module
 */

import { BLOCK_SIZES, type StoredDtype } from "../model/weights.ts";
import { f16Table } from "./half.ts";

/** The stored types that are blocks. */
export type BlockDtype = Exclude<StoredDtype, "F32" | "F16" | "BF16">;

const BLOCK = 32;

/** What differs between the types of four and five bits. */
const NIBBLE_TYPES: Readonly<
  Record<Exclude<BlockDtype, "Q8_0">, { readonly minimum: boolean; readonly fifthBit: boolean }>
> = {
  Q4_0: { minimum: false, fifthBit: false },
  Q4_1: { minimum: true, fifthBit: false },
  Q5_0: { minimum: false, fifthBit: true },
  Q5_1: { minimum: true, fifthBit: true },
};

/**
 * The values of whole blocks, rounded to F32 once.
 *
 * @throws {RangeError} if the bytes are not a whole number of blocks.
 */
export function dequantize(dtype: BlockDtype, bytes: Uint8Array): Float32Array<ArrayBuffer> {
  const blockBytes = BLOCK_SIZES[dtype][1];
  if (bytes.length % blockBytes !== 0) {
    throw new RangeError(
      `Cannot dequantize ${dtype}: need a multiple of ${blockBytes} bytes, got ${bytes.length}`,
    );
  }
  return dtype === "Q8_0" ? dequantizeQ8(bytes) : dequantizeNibbles(dtype, bytes);
}

function dequantizeQ8(bytes: Uint8Array): Float32Array<ArrayBuffer> {
  const f16 = f16Table();
  const codes = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  const values = new Float32Array((bytes.length / 34) * BLOCK);
  for (let at = 0, out = 0; at < bytes.length; at += 34) {
    const scale = f16[bytes[at] | (bytes[at + 1] << 8)];
    for (let j = 0; j < BLOCK; j++) values[out++] = scale * codes[at + 2 + j];
  }
  return values;
}

function dequantizeNibbles(dtype: keyof typeof NIBBLE_TYPES, bytes: Uint8Array): Float32Array<ArrayBuffer> {
  const { minimum, fifthBit } = NIBBLE_TYPES[dtype];
  const f16 = f16Table();
  const half = (at: number): number => f16[bytes[at] | (bytes[at + 1] << 8)];
  const blockBytes = BLOCK_SIZES[dtype][1];
  const values = new Float32Array((bytes.length / blockBytes) * BLOCK);
  const zero = fifthBit ? 16 : 8;
  for (let start = 0, out = 0; start < bytes.length; start += blockBytes, out += BLOCK) {
    let at = start;
    const scale = half(at);
    at += 2;
    const offset = minimum ? half(at) : -zero * scale; // both exact in a double
    if (minimum) at += 2;
    let high = 0;
    if (fifthBit) {
      high = bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
      at += 4;
    }
    for (let j = 0; j < BLOCK / 2; j++) {
      const codes = bytes[at + j];
      values[out + j] = scale * ((codes & 15) | (((high >>> j) & 1) << 4)) + offset;
      values[out + j + 16] = scale * ((codes >>> 4) | (((high >>> (j + 16)) & 1) << 4)) + offset;
    }
  }
  return values;
}

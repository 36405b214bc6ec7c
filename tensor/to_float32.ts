/**
 * Stored bytes of any type to F32.
 *
 * @module
 */

import type { StoredDtype } from "../model/weights.ts";
import { dequantize } from "./dequantize.ts";
import { bf16ToFloat32, f16ToFloat32 } from "./half.ts";

/**
 * Little-endian stored bytes as F32 values, in their order.
 *
 * An F32 array over `bytes` itself is answered where the type is F32 and the bytes are aligned; every other
 * answer is new memory.
 *
 * @throws {RangeError} if the bytes are not a whole number of elements or blocks.
 */
export function toFloat32(dtype: StoredDtype, bytes: Uint8Array<ArrayBuffer>): Float32Array<ArrayBuffer> {
  if (dtype === "F32") {
    const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
    return new Float32Array(aligned.buffer, aligned.byteOffset, elements(dtype, bytes, 4));
  }
  if (dtype !== "F16" && dtype !== "BF16") return dequantize(dtype, bytes);
  const aligned = bytes.byteOffset % 2 === 0 ? bytes : bytes.slice();
  const codes = new Uint16Array(aligned.buffer, aligned.byteOffset, elements(dtype, bytes, 2));
  return dtype === "F16" ? f16ToFloat32(codes) : bf16ToFloat32(codes);
}

function elements(dtype: StoredDtype, bytes: Uint8Array, size: number): number {
  if (bytes.length % size !== 0) {
    throw new RangeError(`Cannot read ${dtype}: need a multiple of ${size} bytes, got ${bytes.length}`);
  }
  return bytes.length / size;
}

/**
 * The numbers of one tensor, read when asked for.
 *
 * @module
 */

import { toFloat32 } from "../tensor/to_float32.ts";
import { openByteSource } from "./byte_source.ts";
import type { StoredTensor } from "./weights.ts";

/**
 * The stored bytes of a tensor, in new memory.
 *
 * @throws {SottoError} E_MODEL_FORMAT if the file no longer holds them; E_MODEL_NOT_FOUND, E_PERMISSION or
 * E_INPUT if it cannot be opened.
 */
export async function readTensor(tensor: StoredTensor): Promise<Uint8Array<ArrayBuffer>> {
  using source = await openByteSource(tensor.file);
  return await source.read(tensor.byteOffset, tensor.byteLength);
}

/**
 * The values of a tensor as F32, row-major, in new memory; `Π shape` of them.
 *
 * @throws {SottoError} as {@linkcode readTensor} does.
 */
export async function readFloat32(tensor: StoredTensor): Promise<Float32Array<ArrayBuffer>> {
  return toFloat32(tensor.dtype, await readTensor(tensor));
}

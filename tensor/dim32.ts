/**
 * The DIM32 shuffle of packed BFP16: blocks from row-major order into subtiles of 8 rows × 9 bytes, and back.
 *
 * `packBfp16` writes either order at once; these move bytes that are packed already.
 *
 * @module
 */

import { BFP16_BLOCK, BFP16_BLOCK_BYTES, bfp16Bytes, type Bfp16Layout, bfp16Offset } from "./bfp16_layout.ts";
import { requireLength } from "./quantization.ts";

/**
 * Moves blocks from the order of one layout into that of another.
 *
 * @param bytes Packed as `from` says.
 * @param from Of the same matrix and the same stored sizes as `to`.
 * @throws {SottoError} E_OPTION if the bytes, or the two stored sizes, do not fit.
 */
export function reorderBfp16(
  bytes: Uint8Array<ArrayBuffer>,
  from: Bfp16Layout,
  to: Bfp16Layout,
): Uint8Array<ArrayBuffer> {
  requireLength("bytes", bytes, bfp16Bytes(from));
  requireLength("rows in memory", { length: from.storedRows }, to.storedRows);
  requireLength("columns in memory", { length: from.storedColumns }, to.storedColumns);
  const out = new Uint8Array(bytes.length);
  const blocks = to.storedColumns / BFP16_BLOCK;
  for (let r = 0; r < to.storedRows; r++) {
    for (let b = 0; b < blocks; b++) {
      const at = bfp16Offset(from, r, b);
      out.set(bytes.subarray(at, at + BFP16_BLOCK_BYTES), bfp16Offset(to, r, b));
    }
  }
  return out;
}

/**
 * Row-major blocks into the order of a `dim32` layout.
 *
 * @param bytes [storedRows, storedColumns · 9 / 8], row-major.
 * @throws {SottoError} E_OPTION if the bytes do not fit.
 */
export function shuffleDim32(bytes: Uint8Array<ArrayBuffer>, layout: Bfp16Layout): Uint8Array<ArrayBuffer> {
  return reorderBfp16(bytes, rowMajor(layout), layout);
}

/**
 * The inverse of {@linkcode shuffleDim32}.
 *
 * @throws {SottoError} E_OPTION if the bytes do not fit.
 */
export function unshuffleDim32(bytes: Uint8Array<ArrayBuffer>, layout: Bfp16Layout): Uint8Array<ArrayBuffer> {
  return reorderBfp16(bytes, layout, rowMajor(layout));
}

function rowMajor(layout: Bfp16Layout): Bfp16Layout {
  return { ...layout, order: "rows", tileRows: layout.storedRows, tileColumns: layout.storedColumns };
}

/**
 * Sizes from a file header, multiplied without overflow.
 *
 * @module
 */

import { BLOCK_SIZES, type StoredDtype } from "./weights.ts";

/**
 * The product of a shape, or null if it passes 2^53 − 1 anywhere (even where a later zero would hide it) or
 * an axis is not a non-negative safe integer.
 */
export function elementCount(shape: readonly unknown[]): number | null {
  let count = 1;
  let nonZero = 1;
  for (const axis of shape) {
    if (!Number.isSafeInteger(axis) || (axis as number) < 0) return null;
    count *= axis as number;
    nonZero *= Math.max(1, axis as number);
    if (!Number.isSafeInteger(nonZero)) return null;
  }
  return count;
}

/**
 * Bytes that a tensor of that type and shape takes, or null if there is no such tensor: its size overflows, or
 * its rows are not whole blocks.
 */
export function storedBytes(dtype: StoredDtype, shape: readonly unknown[]): number | null {
  const [elements, bytes] = BLOCK_SIZES[dtype];
  const count = elementCount(shape);
  if (count === null || count * bytes > Number.MAX_SAFE_INTEGER) return null;
  if (elements > 1 && (shape.length === 0 || (shape.at(-1) as number) % elements !== 0)) return null;
  return (count / elements) * bytes;
}

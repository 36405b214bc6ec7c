/**
 * Checkpoints made up for tests, in memory.
 *
 * @module
 */

import type { NamedShape } from "../../model/weight_names.ts";
import { type StoredTensor, WeightStore } from "../../model/weights.ts";

/** An F32 tensor over `values`. */
export function storedTensor({ name, shape }: NamedShape, values: Float32Array<ArrayBuffer>): StoredTensor {
  return {
    name,
    dtype: "F32",
    shape,
    file: { bytes: new Uint8Array(values.buffer) },
    byteOffset: 0,
    byteLength: values.byteLength,
  };
}

/** A store with `make(length)` under each name, and the values themselves. */
export function makeWeights(
  tensors: readonly NamedShape[],
  make: (length: number, name: string) => Float32Array<ArrayBuffer>,
): { store: WeightStore; values: Record<string, Float32Array<ArrayBuffer>> } {
  const values: Record<string, Float32Array<ArrayBuffer>> = {};
  for (const { name, shape } of tensors) values[name] = make(shape.reduce((a, b) => a * b, 1), name);
  return {
    store: new WeightStore(tensors.map((tensor) => storedTensor(tensor, values[tensor.name]))),
    values,
  };
}

/**
 * Where the numbers of a checkpoint lie, without reading them.
 *
 * A loader (safetensors, .pt, ggml) only parses headers and answers with a {@linkcode WeightStore}: a name,
 * a type, a shape and a byte range for each tensor. A device then reads, maps or converts the ranges itself.
 * Names are openai-whisper's (`encoder.blocks.0.attn.query.weight`), whatever the file calls them.
 *
 * @module
 */

import { SottoError } from "../errors.ts";

/** Element types a checkpoint may store. The Q types are ggml's blocks of 32 along the last axis. */
export type StoredDtype = "F32" | "F16" | "BF16" | "Q8_0" | "Q5_0" | "Q5_1" | "Q4_0" | "Q4_1";

/** Elements in a block and bytes of a block, for each stored type (ggml: `ggml-common.h`). */
export const BLOCK_SIZES: Readonly<Record<StoredDtype, readonly [elements: number, bytes: number]>> = {
  F32: [1, 4],
  F16: [1, 2],
  BF16: [1, 2],
  Q8_0: [32, 34], // scale f16, 32 × int8
  Q5_0: [32, 22], // scale f16, 32 high bits, 32 × 4 bits
  Q5_1: [32, 24], // scale f16, minimum f16, 32 high bits, 32 × 4 bits
  Q4_0: [32, 18], // scale f16, 32 × 4 bits
  Q4_1: [32, 20], // scale f16, minimum f16, 32 × 4 bits
};

/** A file on disk, or bytes in memory, that tensors lie in. */
export type TensorFile =
  | { readonly path: string; readonly bytes?: undefined }
  | { readonly path?: undefined; readonly bytes: Uint8Array<ArrayBuffer> };

/** One tensor of a checkpoint: row-major, little-endian, the last axis contiguous. */
export interface StoredTensor {
  /** openai-whisper's name for it. */
  readonly name: string;
  /** Element type. */
  readonly dtype: StoredDtype;
  /** Elements along each axis. */
  readonly shape: readonly number[];
  /** Where its bytes lie. */
  readonly file: TensorFile;
  /** First byte in the file; may be unaligned. */
  readonly byteOffset: number;
  /** Bytes from there on. */
  readonly byteLength: number;
}

/** The tensors of a checkpoint by name. */
export class WeightStore {
  readonly #tensors: ReadonlyMap<string, StoredTensor>;

  /**
   * A store of those tensors.
   *
   * @param tensors Every tensor of the checkpoint, names unique.
   */
  constructor(tensors: Iterable<StoredTensor>) {
    this.#tensors = new Map(Array.from(tensors, (tensor) => [tensor.name, tensor]));
  }

  /** All names, in the file's order. */
  get names(): string[] {
    return [...this.#tensors.keys()];
  }

  /** Whether there is a tensor of that name. */
  has(name: string): boolean {
    return this.#tensors.has(name);
  }

  /** The tensor of that name, or undefined. */
  find(name: string): StoredTensor | undefined {
    return this.#tensors.get(name);
  }

  /**
   * The tensor of that name, which must have that shape.
   *
   * @throws {SottoError} E_MODEL_MISMATCH if it is missing or its shape is another one.
   */
  get(name: string, shape: readonly number[]): StoredTensor {
    const tensor = this.#tensors.get(name);
    const found = tensor ? `[${tensor.shape}]` : "none";
    if (
      !tensor || tensor.shape.length !== shape.length || tensor.shape.some((n, axis) => n !== shape[axis])
    ) {
      throw new SottoError(
        "E_MODEL_MISMATCH",
        `Cannot use this checkpoint: need ${name} [${shape}], got ${found}`,
        {
          hint: "Use a checkpoint in Whisper's architecture, whole and of one size.",
        },
      );
    }
    return tensor;
  }
}

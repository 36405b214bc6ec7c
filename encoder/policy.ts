/**
 * What each product of the encoder is rounded to: the part of a precision that does not depend on a processor.
 *
 * Nearly all error of narrow numbers comes from the first block's attention, whose inputs span the widest range: in
 * BF16 its output projection alone makes 0.3-0.8 % of error in the features, its query, key and value 0.3-0.5 %, the
 * same products of all other blocks together 0.2 %; in INT8 its query, key and value 2 %. So both stay in F32, for 3 ms
 * of a window of Whisper base, and in `int8` the rest of the first block and the convolutions in half precision.
 *
 * Relative L2 error of Whisper base's features on speech, dense speech, noisy speech, speech in long silence:
 *
 *     half  0.83, 0.71, 0.68, 0.67 %; with nothing in F32 1.24, 0.95, 0.91, 1.09 %
 *     int8  1.59, 1.62, 1.36, 1.43 %; with nothing in F32 1.70, 1.85, 1.60, 1.62 %
 *
 * and of the demo model's at most 0.5 % (`half`) and 1.3 % (`int8`). Nothing in it was fitted to recordings.
 *
 * @module
 */

import type { EncoderDimensions } from "../model/dimensions.ts";
import type { Precision } from "./precision.ts";

/** What operands are rounded to: nothing, 16 bits, or 8 bits with scales. */
export const ROUNDINGS = ["f32", "half", "int8"] as const;

/** One of them. */
export type Rounding = typeof ROUNDINGS[number];

/** The products of a block. `attention` is q·kᵀ; weights times values are never below `half`. */
export const BLOCK_PRODUCTS = ["qkv", "attention", "out", "mlp1", "mlp2"] as const;

/** One of them. */
export type BlockProduct = typeof BLOCK_PRODUCTS[number];

/** The convolutions, which come before the blocks. */
export const CONVOLUTIONS = ["conv1", "conv2"] as const;

/** Any product of the encoder. */
export type Product = BlockProduct | typeof CONVOLUTIONS[number];

/** One value for each product of the encoder. */
export interface PerProduct<T> {
  /** The first convolution: of the log-mel. */
  readonly conv1: T;
  /** The second. */
  readonly conv2: T;
  /** One for each block, the first first. */
  readonly blocks: readonly Readonly<Record<BlockProduct, T>>[];
}

/** How the encoder's products are rounded. */
export type RoundingPolicy = PerProduct<Rounding>;

/** What every precision but `f32` leaves to F32 in the first block. */
const EXACT_IN_FIRST: readonly BlockProduct[] = ["qkv", "out"];

/** What `int8` leaves to half precision in the second. */
const GENTLE_IN_SECOND: readonly BlockProduct[] = ["out"];

/** The policy that a precision stands for where no calibration says otherwise. */
export function builtInPolicy(precision: Exclude<Precision, "auto">, blocks: number): RoundingPolicy {
  const gentle: Rounding = precision === "int8" ? "half" : precision;
  const block = (of: (product: BlockProduct) => Rounding) =>
    Object.fromEntries(BLOCK_PRODUCTS.map((product) => [product, of(product)])) as Record<
      BlockProduct,
      Rounding
    >;
  const first = block((product) => EXACT_IN_FIRST.includes(product) ? "f32" : gentle);
  const second = block((product) => GENTLE_IN_SECOND.includes(product) ? gentle : precision);
  const other = block(() => precision);
  return {
    conv1: "f32",
    conv2: gentle,
    blocks: Array.from({ length: blocks }, (_, layer) => [first, second][layer] ?? other),
  };
}

/** Width and blocks of the encoders that the built-in policy's error was measured on: Whisper base, the demo model. */
const INT8_MEASURED: readonly (readonly [number, number])[] = [[512, 6], [128, 4]];

/** Whether the built-in policy for `int8` is known to stay within 2 % on an encoder of this size. */
export function isInt8Measured(dims: Pick<EncoderDimensions, "n_audio_state" | "n_audio_layer">): boolean {
  return INT8_MEASURED.some(([state, blocks]) =>
    state === dims.n_audio_state && blocks === dims.n_audio_layer
  );
}

/** The same for every product, as `of` says. */
export function mapProducts<T, U>(
  policy: PerProduct<T>,
  of: (value: T, product: Product) => U,
): PerProduct<U> {
  return {
    conv1: of(policy.conv1, "conv1"),
    conv2: of(policy.conv2, "conv2"),
    blocks: policy.blocks.map((block) =>
      Object.fromEntries(BLOCK_PRODUCTS.map((product) => [product, of(block[product], product)])) as Record<
        BlockProduct,
        U
      >
    ),
  };
}

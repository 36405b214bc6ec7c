/**
 * What each product of the encoder is rounded to: the part of a precision that does not depend on a processor.
 *
 * Nearly all error of narrow numbers comes from where the encoder begins. Rounding one product alone of Whisper base to
 * BF16 makes, at most, of error in its features: the first convolution 0.9 % (silence, noise), the second 0.3 %; of the
 * first block attention 0.7 %, output and query, key, value 0.7 % each, the rest 0.2 %; any product behind it 0.2 %. In
 * INT8: the first block's 0.8 to 3.6 %, the second's 0.3 to 0.7 %, any other's below 0.5 %. So what costs little time stays
 * in F32 there (the first convolution 0.8 ms of a window's 80, the output 0.8), and in `int8` the rest of the first block
 * and most of the second in half precision.
 *
 * Relative L2 error of Whisper base's features on speech, dense speech, noisy speech, speech in long silence, noise,
 * silence:
 *
 *     half  0.81, 0.48, 0.73, 0.66, 0.63, 0.62 %
 *     int8  1.44, 1.64, 1.49, 1.31, 1.55, 1.15 %
 *
 * Speech 5 to 10 dB above noise can err by up to 2.5 % in `int8`: `deno task calibrate` makes a choice that holds there,
 * for 5 % more time.
 *
 * @module
 */

import type { EncoderDimensions } from "../model/dimensions.ts";
import type { Precision } from "./precision.ts";

/** What operands are rounded to: nothing, 16 bits, or 8 bits with scales. */
export const ROUNDINGS = ["f32", "half", "int8"] as const;

/** One of them. */
export type Rounding = typeof ROUNDINGS[number];

/** The products of a block. `attention` is both of its own: q·kᵀ, and weights times values. */
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

/** What the first blocks have instead of what a precision has everywhere; the first block first. */
const EXCEPTIONS: Readonly<
  Record<"half" | "int8", readonly Readonly<Partial<Record<BlockProduct, Rounding>>>[]>
> = {
  half: [{ qkv: "f32", out: "f32" }],
  int8: [
    { qkv: "half", attention: "half", out: "f32", mlp1: "half", mlp2: "half" },
    { qkv: "half", out: "half", mlp1: "half" },
  ],
};

/** The policy that a precision stands for where no calibration says otherwise. */
export function builtInPolicy(precision: Exclude<Precision, "auto">, blocks: number): RoundingPolicy {
  const same = Object.fromEntries(BLOCK_PRODUCTS.map((product) => [product, precision])) as Record<
    BlockProduct,
    Rounding
  >;
  const exceptions = precision === "f32" ? [] : EXCEPTIONS[precision];
  return {
    conv1: "f32",
    conv2: precision === "f32" ? "f32" : "half",
    blocks: Array.from({ length: blocks }, (_, layer) => ({ ...same, ...exceptions[layer] })),
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

/**
 * A rounding policy as a list with one entry for each place a product stands in: what a search goes through.
 *
 * @module
 */

import {
  BLOCK_PRODUCTS,
  type BlockProduct,
  CONVOLUTIONS,
  type Product,
  type Rounding,
  type RoundingPolicy,
} from "../encoder/policy.ts";

/** Where a product stands: a convolution, or one product of one block. */
export interface Place {
  /** Of the block, from 0; null for the convolutions. */
  readonly block: number | null;
  /** Which product. */
  readonly product: Product;
}

/** Every place of an encoder, in the order of its plan. */
export function placesOf(blocks: number): Place[] {
  return [
    ...CONVOLUTIONS.map((product) => ({ block: null, product })),
    ...Array.from(
      { length: blocks },
      (_, block) => BLOCK_PRODUCTS.map((product) => ({ block, product })),
    ).flat(),
  ];
}

/** Such as `block 3 mlp1`. */
export function placeName({ block, product }: Place): string {
  return block === null ? product : `block ${block} ${product}`;
}

/** The policy that has `roundings[i]` at the i-th of {@linkcode placesOf}. */
export function policyOf(roundings: readonly Rounding[]): RoundingPolicy {
  const [conv1, conv2, ...rest] = roundings;
  const width = BLOCK_PRODUCTS.length;
  return {
    conv1,
    conv2,
    blocks: Array.from({ length: rest.length / width }, (_, block) =>
      Object.fromEntries(
        BLOCK_PRODUCTS.map((product, i) => [product, rest[block * width + i]]),
      ) as Record<BlockProduct, Rounding>),
  };
}

/** The inverse of {@linkcode policyOf}. */
export function roundingsOf(policy: RoundingPolicy): Rounding[] {
  return [
    ...CONVOLUTIONS.map((product) => policy[product]),
    ...policy.blocks.flatMap((block) => BLOCK_PRODUCTS.map((product) => block[product])),
  ];
}

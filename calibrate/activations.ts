/**
 * What goes into the products of a block while it encodes: rows of activations, taken from plans that end early.
 *
 * @module
 */

import { planEncoder } from "../encoder/plan.ts";
import { BLOCK_PRODUCTS, type BlockProduct } from "../encoder/policy.ts";
import type { GemmStep } from "../kernels/step.ts";
import type { Clip } from "./clips.ts";
import type { Trials } from "./trials.ts";

/** Products that are matrices of weights. */
export type MatrixProduct = Exclude<BlockProduct, "attention">;

/** All of them. */
export const MATRIX_PRODUCTS: readonly MatrixProduct[] = BLOCK_PRODUCTS.filter((product) =>
  product !== "attention"
);

/** One row of so many is kept: neighbouring frames are much alike. */
const EVERY = 8;

/** Rows of a matrix, one behind the other. */
export interface Rows {
  /** F32 [rows, columns], row-major. */
  readonly values: Float32Array<ArrayBuffer>;
  /** K of the product. */
  readonly columns: number;
  /** The tensors that they are multiplied with, [n, columns] each. */
  readonly weights: readonly string[];
}

/** Every 8th row of a product's input, computed in F32, of all clips. */
export async function activationsOf(
  { device, dims, weights }: Trials,
  place: { readonly block: number; readonly product: MatrixProduct },
  clips: readonly Clip[],
): Promise<Rows> {
  const whole = planEncoder(dims);
  const gemms = whole.steps.filter((step) => step.op === "gemm");
  const step: GemmStep = gemms[place.block * MATRIX_PRODUCTS.length + MATRIX_PRODUCTS.indexOf(place.product)];
  const plan = { ...whole, steps: whole.steps.slice(0, whole.steps.indexOf(step)), output: step.input };
  using loaded = await device.loadPlan(plan, weights);
  const columns = step.K;
  const kept = Math.ceil(step.M / EVERY);
  const values = new Float32Array(clips.length * kept * columns);
  for (const [i, clip] of clips.entries()) {
    const rows = await loaded.run(clip.logMel);
    for (let row = 0; row < kept; row++) {
      const from = row * EVERY * columns;
      values.set(rows.subarray(from, from + columns), (i * kept + row) * columns);
    }
  }
  return { values, columns, weights: step.parts.map(({ weight }) => whole.weights[weight].name) };
}

/**
 * What an encoder plan asks of an NPU: its matrix products, and its attention.
 *
 * A convolution is a product too: rows of three neighbouring frames, [framesOut, 3·channelsIn], times
 * [3·channelsIn, channelsOut].
 *
 * @module
 */

import type { Plan, Step } from "../step.ts";
import type { ProductSize } from "./catalogue.ts";
import { productName } from "./plan_reading.ts";
import type { AttentionDemand, ProductDemand, RunDemand } from "./select.ts";

/** The product that a step is, or null if it is none. */
export function productOf(step: Step): ProductSize | null {
  if (step.op === "gemm") return { M: step.M, K: step.K, N: step.N };
  if (step.op === "conv1d") return { M: step.framesOut, K: 3 * step.channelsIn, N: step.channelsOut };
  return null;
}

/**
 * The demands of a plan, whose attention is all of one size, on windows that are done together: their rows are put below each other.
 *
 * @param windows 1 or more. Products of equal size count as one demand.
 */
export function demandsOf(plan: Plan, windows = 1): RunDemand {
  const products = new Map<string, ProductDemand>();
  const attentions: AttentionDemand[] = [];
  for (const step of plan.steps) {
    if (step.op === "attention") {
      const { T, heads } = step;
      attentions.push({ name: "attention", T, heads, count: windows * (attentions.length + 1) });
      continue;
    }
    const size = productOf(step);
    if (size === null) continue;
    const weight = step.op === "gemm" ? step.parts[0].weight : step.op === "conv1d" ? step.weight : null;
    const name = weight === null ? step.op : productName(plan.weights[weight].name);
    const key = `${name} ${size.M} ${size.K} ${size.N}`;
    const count = (products.get(key)?.count ?? 0) + 1;
    products.set(key, { name, size: { ...size, M: windows * size.M }, count });
  }
  return { products: Array.from(products.values()), attention: attentions.at(-1) ?? null };
}

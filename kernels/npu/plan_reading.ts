/**
 * What a plan's steps say of each other: who reads a buffer, which layer a step belongs to, what its products are called.
 *
 * @module
 */

import type { BufferId, Plan, Step, WeightId } from "../step.ts";

const LAYER_NAME = /blocks\.(\d+)\./;

/** Name of a product for profiles, by the weight that it multiplies with. */
export function productName(weight: string): string {
  if (weight.includes(".attn.query")) return "query, key, value";
  if (weight.includes(".attn.out")) return "attention out";
  if (weight.includes(".mlp.0")) return "mlp up";
  if (weight.includes(".mlp.2")) return "mlp down";
  return weight.replace(/^encoder\./, "").replace(/\.weight$/, "");
}

/** Answers questions about a plan. */
export class PlanReading {
  readonly #plan: Plan;

  /** @param plan Whose steps. */
  constructor(plan: Plan) {
    this.#plan = plan;
  }

  /** A weight's name in the checkpoint. */
  weightName(id: WeightId): string {
    return this.#plan.weights[id].name;
  }

  /** The layer whose weights a step has; null if it has none, or no layer's. */
  layerOf(step: Step): number | null {
    const id = step.op === "gemm"
      ? step.parts[0].weight
      : step.op === "layernorm" || step.op === "conv1d"
      ? step.weight
      : null;
    const found = id === null ? null : LAYER_NAME.exec(this.weightName(id));
    return found ? Number(found[1]) : null;
  }

  /** The steps behind `index` that read what is in a buffer now. */
  readers(buffer: BufferId, index: number): Step[] {
    const readers: Step[] = [];
    for (const step of this.#plan.steps.slice(index + 1)) {
      if (step.input === buffer || (step.op === "gemm" && step.residual === buffer)) readers.push(step);
      if (step.output === buffer) break;
    }
    return readers;
  }

  /** Whether F32 values of a buffer are wanted beside what the step right behind makes of them. */
  isKept(buffer: BufferId, index: number): boolean {
    const [next, ...later] = this.readers(buffer, index);
    return next === undefined || later.length > 0 || (next.op === "gemm" && next.residual === buffer);
  }

  /** Whether a step behind `index` reads the buffer, or the caller does. */
  isKeptBeside(buffer: BufferId, index: number): boolean {
    return this.readers(buffer, index).length > 0 || buffer === this.#plan.output;
  }
}

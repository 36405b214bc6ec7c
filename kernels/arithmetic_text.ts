/**
 * What a plan is computed in, in a few words.
 *
 * @module
 */

import type { Arithmetic, Plan } from "./step.ts";

/**
 * Such as `f32` where all products are alike, else by kind: `conv1d bf16, gemm i8 (4 of 24 bf16), attention bf16`.
 */
export function arithmeticText(plan: Plan): string {
  const kinds = new Map<string, Map<Arithmetic, number>>();
  for (const step of plan.steps) {
    if (!("arithmetic" in step)) continue;
    const counts = kinds.get(step.op) ?? new Map<Arithmetic, number>();
    counts.set(step.arithmetic, (counts.get(step.arithmetic) ?? 0) + 1);
    kinds.set(step.op, counts);
  }
  const all = new Set([...kinds.values()].flatMap((counts) => [...counts.keys()]));
  if (all.size === 1) return [...all][0];
  return [...kinds].map(([op, counts]) => {
    const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
    const [[most], ...others] = [...counts].sort(([, a], [, b]) => b - a);
    const rest = others.map(([arithmetic, count]) => `${count} of ${total} ${arithmetic}`).join(", ");
    return `${op} ${most}${rest && ` (${rest})`}`;
  }).join(", ");
}

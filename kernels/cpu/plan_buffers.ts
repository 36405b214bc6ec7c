/**
 * Places a plan's buffers in one arena, so that buffers that are never alive together share memory.
 *
 * @module
 */

import { SottoError } from "../../errors.ts";
import type { BufferId, Plan, Step } from "../step.ts";

/** Floats that every buffer starts at a multiple of: 64 bytes, a cache line and a 512-bit register. */
export const ALIGNMENT = 16;

/** Where buffers lie. */
export interface BufferLayout {
  /** Offset of each buffer in floats, a multiple of {@linkcode ALIGNMENT}. */
  readonly offsets: readonly number[];
  /** Size of the arena in floats. */
  readonly arena: number;
}

/** From before the first step that touches a buffer until after the last; steps count from 0. */
export interface Lifetime {
  readonly first: number;
  readonly last: number;
}

/** Buffers a step reads. */
function reads(step: Step): BufferId[] {
  return step.op === "gemm" && step.residual !== null ? [step.input, step.residual] : [step.input];
}

/**
 * When each buffer holds a value somebody still wants. The input lives from before step 0, the output until
 * after the last step.
 *
 * @throws {SottoError} E_OPTION if a step reads what no step before it has written.
 */
export function bufferLifetimes(plan: Plan): Lifetime[] {
  const first = plan.buffers.map(() => Infinity);
  const last = plan.buffers.map(() => -Infinity);
  first[plan.input] = last[plan.input] = -1;
  plan.steps.forEach((step, index) => {
    for (const id of reads(step)) {
      if (!(first[id] < index)) {
        const name = plan.buffers[id]?.name ?? id;
        throw new SottoError(
          "E_OPTION",
          `Cannot lay out the plan: step ${index} (${step.op}) reads "${name}" unwritten`,
        );
      }
      last[id] = index;
    }
    first[step.output] = Math.min(first[step.output], index);
    last[step.output] = Math.max(last[step.output], index);
  });
  last[plan.output] = plan.steps.length;
  return plan.buffers.map((_, id) => ({ first: first[id], last: last[id] }));
}

/**
 * Places the buffers, the largest first, each at the lowest offset where no buffer alive with it lies. A step's
 * input and output are alive together, so no kernel sees them overlap, unless the plan names one buffer twice.
 */
export function layOutBuffers(plan: Plan): BufferLayout {
  const lifetimes = bufferLifetimes(plan);
  const sizes = plan.buffers.map(({ rows, columns }) => Math.ceil(rows * columns / ALIGNMENT) * ALIGNMENT);
  const offsets = sizes.map(() => 0);
  const placed: BufferId[] = [];
  let arena = 0;
  const bySize = sizes.map((_, id) => id).sort((a, b) => sizes[b] - sizes[a]);
  for (const id of bySize) {
    const neighbours = placed.filter((other) => overlaps(lifetimes[id], lifetimes[other]))
      .sort((a, b) => offsets[a] - offsets[b]);
    let offset = 0;
    for (const other of neighbours) {
      if (offset + sizes[id] <= offsets[other]) break;
      offset = Math.max(offset, offsets[other] + sizes[other]);
    }
    offsets[id] = offset;
    placed.push(id);
    arena = Math.max(arena, offset + sizes[id]);
  }
  return { offsets, arena };
}

function overlaps(a: Lifetime, b: Lifetime): boolean {
  return a.first <= b.last && b.first <= a.last;
}

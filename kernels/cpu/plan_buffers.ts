/**
 * Places a plan's buffers in one arena, so that buffers that are never alive together share memory.
 *
 * @module
 */

import { SottoError } from "../../errors.ts";
import type { BufferId, Plan } from "../step.ts";

/** Floats that every buffer starts at a multiple of: 64 bytes, a cache line and a 512-bit register. */
export const ALIGNMENT = 16;

/** Where buffers lie. */
export interface BufferLayout {
  /** Offset of each buffer in floats, a multiple of {@linkcode ALIGNMENT}. */
  readonly offsets: readonly number[];
  /** Size of the arena in floats. */
  readonly arena: number;
}

/** From the step that writes a value to the last step that reads it; steps count from 0. */
export interface Lifetime {
  readonly first: number;
  readonly last: number;
}

/**
 * When each buffer holds a value that somebody still wants: one lifetime for each time it is written anew. A step
 * writes its whole output. The input is written before step 0, the output is read after the last step.
 *
 * @throws {SottoError} E_OPTION if a step reads what no step before it has written.
 */
export function bufferLifetimes(plan: Plan): Lifetime[][] {
  const lifetimes: { first: number; last: number }[][] = plan.buffers.map(() => []);
  const write = (id: BufferId, at: number) => lifetimes[id].push({ first: at, last: at });
  const read = (id: BufferId, at: number) => {
    const value = lifetimes[id]?.at(-1);
    if (!value) {
      const reader = at < plan.steps.length ? `step ${at} (${plan.steps[at].op})` : "the caller";
      const name = plan.buffers[id]?.name ?? id;
      throw new SottoError(
        "E_OPTION",
        `Cannot lay out the plan: ${reader} reads "${name}", which nothing has written`,
      );
    }
    value.last = at;
  };
  write(plan.input, -1);
  plan.steps.forEach((step, index) => {
    const residual = step.op === "gemm" ? step.residual : null;
    read(step.input, index);
    if (residual !== null) read(residual, index);
    write(step.output, index);
  });
  read(plan.output, plan.steps.length);
  return lifetimes;
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

function overlaps(these: readonly Lifetime[], those: readonly Lifetime[]): boolean {
  return these.some((a) => those.some((b) => a.first <= b.last && b.first <= a.last));
}

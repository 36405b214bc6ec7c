/**
 * Places the memory that a program needs in as few buffers as its lifetimes allow: what is never alive together shares
 * one. All of a program's sizes are known before it runs, so nothing is allocated during one.
 *
 * @module
 */

import type { Memory } from "./program.ts";

/** Where a program's memory lies. */
export interface BufferPlacement {
  /** Index of the buffer of each memory. */
  readonly bufferOf: readonly number[];
  /** Bytes of each buffer. */
  readonly sizes: readonly number[];
}

/** Places memory in order of first use; each takes the free buffer that has to grow least, or wastes least. */
export function placeBuffers(memories: readonly Memory[]): BufferPlacement {
  const sizes: number[] = [];
  const busyUntil: number[] = [];
  const bufferOf: number[] = new Array(memories.length);
  const order = memories.map((_, id) => id).sort((a, b) => memories[a].first - memories[b].first);
  for (const id of order) {
    const { bytes, first, last } = memories[id];
    const free = sizes.map((_, index) => index).filter((index) => busyUntil[index] < first);
    const waste = (index: number) =>
      sizes[index] >= bytes ? sizes[index] - bytes : 2 ** 40 + bytes - sizes[index];
    const best = free.sort((a, b) => waste(a) - waste(b))[0] ?? sizes.push(0) - 1;
    sizes[best] = Math.max(sizes[best], bytes);
    busyUntil[best] = last;
    bufferOf[id] = best;
  }
  return { bufferOf, sizes };
}

/**
 * Collects the operations of a program, and when the memory they use is first written and last read.
 *
 * @module
 */

import type { Memory, MemoryId, NpuOperation, WeightMatrix } from "./program.ts";

/** Parts of a program that is being made. */
export class ProgramParts {
  /** In order. */
  readonly operations: NpuOperation[] = [];
  /** Memory between them. */
  readonly memories: Memory[] = [];
  /** Weights. */
  readonly matrices: WeightMatrix[] = [];
  /** Rows of each array of scales. */
  readonly scales: number[] = [];

  /** Memory that the next operation writes. */
  memory(bytes: number): MemoryId {
    const now = this.operations.length;
    return this.memories.push({ bytes, first: now, last: now }) - 1;
  }

  /** Adds an operation; the memory it touches lives until then. */
  emit(operation: NpuOperation): void {
    const index = this.operations.push(operation) - 1;
    const touch = (id: MemoryId) => {
      this.memories[id].first = Math.min(this.memories[id].first, index);
      this.memories[id].last = Math.max(this.memories[id].last, index);
    };
    if (operation.op === "launch") {
      for (const buffer of operation.buffers) if ("memory" in buffer) touch(buffer.memory);
    } else if (operation.op === "rows") {
      if ("memory" in operation.from) touch(operation.from.memory);
      if (operation.to && "memory" in operation.to) touch(operation.to.memory);
    }
  }
}

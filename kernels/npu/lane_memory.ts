/**
 * The memory that a lane works on: buffers of the NPU, and arrays of the host.
 *
 * @module
 */

import type { XrtBuffer } from "../../ffi/xrt_objects.ts";
import type { BufferId } from "../step.ts";
import { placeBuffers } from "./buffers.ts";
import type { MemoryId, NpuProgram, ScalesId } from "./program.ts";

/** Memory of a program, for all of its windows. */
export class LaneMemory {
  readonly #windows: number;
  readonly #buffers: readonly XrtBuffer[];
  readonly #bufferOf: readonly number[];
  readonly #arrays: readonly Float32Array<ArrayBuffer>[];
  readonly #scales: readonly Float32Array<ArrayBuffer>[];

  private constructor(program: NpuProgram, buffers: readonly XrtBuffer[], bufferOf: readonly number[]) {
    this.#windows = program.windows;
    this.#buffers = buffers;
    this.#bufferOf = bufferOf;
    this.#arrays = hostArrays(program);
    this.#scales = program.scales.map((rows) => new Float32Array(rows));
  }

  /**
   * Allocates it.
   *
   * @param allocate Makes a buffer of so many bytes, which its owner frees.
   */
  static async allocate(
    program: NpuProgram,
    allocate: (bytes: number) => Promise<XrtBuffer>,
  ): Promise<LaneMemory> {
    const { bufferOf, sizes } = placeBuffers(program.memories);
    const buffers: XrtBuffer[] = [];
    for (const size of sizes) buffers.push(await allocate(size));
    return new LaneMemory(program, buffers, bufferOf);
  }

  /** The buffer of the NPU in which a memory lies, at its start. */
  buffer(id: MemoryId): XrtBuffer {
    return this.#buffers[this.#bufferOf[id]];
  }

  /** F32 values of a buffer of the plan, all windows one after the other. */
  array(id: BufferId): Float32Array<ArrayBuffer> {
    return this.#arrays[id];
  }

  /** Scales of the rows of an integer operand. */
  scales(id: ScalesId): Float32Array<ArrayBuffer> {
    return this.#scales[id];
  }

  /** The part of an array of all windows that is one's. */
  windowOf(array: Float32Array<ArrayBuffer>, window: number): Float32Array<ArrayBuffer> {
    const length = array.length / this.#windows;
    return array.subarray(window * length, (window + 1) * length);
  }
}

/** F32 arrays of the buffers that the host touches, all windows one after the other; empty ones of the others. */
function hostArrays({ plan, operations, windows }: NpuProgram): Float32Array<ArrayBuffer>[] {
  const touched = new Set([plan.input, plan.output]);
  for (const operation of operations) {
    if (operation.op === "cpu") {
      touched.add(operation.step.input).add(operation.step.output);
    } else if (operation.op === "rows") {
      const { from, to, addend, out } = operation;
      for (const place of [from, to, addend]) if (place && "buffer" in place) touched.add(place.buffer);
      if (out !== null) touched.add(out);
    }
  }
  return plan.buffers.map(({ rows, columns }, id) =>
    new Float32Array(touched.has(id) ? windows * rows * columns : 0)
  );
}

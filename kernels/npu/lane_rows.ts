/**
 * Passes over rows of a lane: an operation of a program on the lane's memory.
 *
 * @module
 */

import { type RowsPass, type RowsTarget, sourceBytes, targetBytes } from "../../ffi/rows_pass.ts";
import type { WeightId } from "../step.ts";
import type { NpuHost } from "./host.ts";
import { granularityOf } from "./instructions.ts";
import type { LaneMemory } from "./lane_memory.ts";
import type { NpuProgram, RowsOperation, RowsTo } from "./program.ts";
import type { ResidentPlan } from "./resident_plan.ts";

/** Bytes that passes moved. */
export interface RowsBytes {
  /** Into buffers of the NPU. */
  readonly bytesIn: number;
  /** Out of them. */
  readonly bytesOut: number;
}

/** Makes passes over rows. */
export class LaneRows {
  readonly #plan: ResidentPlan;
  readonly #windows: number;
  readonly #memory: LaneMemory;
  readonly #host: NpuHost;
  readonly #repeated = new Map<WeightId, Float32Array<ArrayBuffer>>();

  /** @param plan Whose weights. */
  constructor(plan: ResidentPlan, program: NpuProgram, memory: LaneMemory, host: NpuHost) {
    this.#plan = plan;
    this.#windows = program.windows;
    this.#memory = memory;
    this.#host = host;
  }

  /** Makes the pass of an operation; one for each window where these lie apart. */
  async run(operation: RowsOperation): Promise<RowsBytes> {
    const { from, to } = operation;
    const target = to !== null && "memory" in to ? to : null;
    const passes = target?.apart
      ? Array.from({ length: this.#windows }, (_, window) => this.#windowPass(operation, window))
      : [this.#passOf(operation)];
    for (const pass of passes) await this.#host.rows.pass(pass);
    if (target?.perTensor) await this.#quantize(passes[0], target);
    return {
      bytesIn: target ? passes.length * targetBytes(target) : 0,
      bytesOut: "memory" in from ? passes.reduce((sum, pass) => sum + sourceBytes(pass), 0) : 0,
    };
  }

  #passOf(operation: RowsOperation): RowsPass {
    const { rows, columns, from, scales, addend, norm, out } = operation;
    return {
      rows,
      columns,
      source: "memory" in from
        ? { type: from.type, stride: from.stride, from: this.#memory.buffer(from.memory) }
        : { type: "f32", stride: columns, from: this.#memory.array(from.buffer) },
      ...(scales
        ? {
          rowScales: this.#memory.scales(scales.rows),
          columnScales: this.#plan.columnScales[scales.matrix]!.subarray(0, columns),
        }
        : {}),
      bias: this.#plan.bias(operation),
      gelu: operation.gelu,
      addend: addend === null
        ? undefined
        : "buffer" in addend
        ? this.#memory.array(addend.buffer)
        : this.#repeat(addend.weight),
      out: out === null ? undefined : this.#memory.array(out),
      norm: norm === null
        ? undefined
        : { weight: this.#plan.vector(norm.weight), bias: this.#plan.vector(norm.bias) },
      target: this.#targetOf(operation),
    };
  }

  /** The part of a pass that is one window's, where each has a place of its own. */
  #windowPass(operation: RowsOperation, window: number): RowsPass {
    const { source, rowScales, addend, out, target, ...same } = this.#passOf(operation);
    const rows = operation.rows / this.#windows;
    const part = (array: Float32Array<ArrayBuffer> | undefined) =>
      array && this.#memory.windowOf(array, window);
    const bytes = source.type === "bf16" ? 2 : 4;
    return {
      ...same,
      rows,
      source: source.from instanceof Float32Array
        ? { ...source, from: this.#memory.windowOf(source.from, window) }
        : { ...source, offset: window * rows * source.stride * bytes },
      rowScales: part(rowScales),
      addend: part(addend),
      out: part(out),
      target: target && { ...target, offset: window * targetBytes(target) },
    };
  }

  /** A weight that is added to every window's rows. */
  #repeat(weight: WeightId): Float32Array<ArrayBuffer> {
    const once = this.#plan.vector(weight);
    if (this.#windows === 1) return once;
    let all = this.#repeated.get(weight);
    if (all === undefined) {
      all = new Float32Array(this.#windows * once.length);
      for (let at = 0; at < all.length; at += once.length) all.set(once, at);
      this.#repeated.set(weight, all);
    }
    return all;
  }

  #targetOf({ to, rows, columns }: RowsOperation): RowsTarget | undefined {
    if (to === null) return undefined;
    if ("buffer" in to) {
      return { type: "f32", stride: columns, rows, firstRow: 0, to: this.#memory.array(to.buffer) };
    }
    if (to.perTensor) {
      const values = new Float32Array(to.rows * to.stride);
      return { type: "f32", stride: to.stride, rows: to.rows, firstRow: to.firstRow, to: values };
    }
    const tile = to.type === "bfp16" ? { tile: this.#tileOfA() } : {};
    const scales = to.scales === null ? {} : { scales: this.#memory.scales(to.scales) };
    const { type, stride, firstRow } = to;
    return { type, stride, rows: to.rows, firstRow, ...tile, ...scales, to: this.#memory.buffer(to.memory) };
  }

  #tileOfA(): [number, number] {
    const { design } = this.#plan.session;
    const program = design.programs.find((it) => it.kind === "matmul" && it.input === "bfp16");
    if (program?.kind !== "matmul") throw new Error("the overlay has no bfp16 product");
    return [granularityOf(design, program).M / design.rows, program.k];
  }

  /** One scale for a window's matrix is known only when all of it is there. */
  async #quantize(pass: RowsPass, to: Extract<RowsTo, { memory: number }>): Promise<void> {
    const values = pass.target!.to as Float32Array<ArrayBuffer>;
    const rows = pass.rows / this.#windows;
    for (let window = 0; window < this.#windows; window++) {
      const [first, end] = [
        window * rows,
        window + 1 < this.#windows ? (window + 1) * rows : to.rows,
      ];
      const matrix = values.subarray(first * to.stride, end * to.stride);
      const { codes, scales } = await this.#host.formats.quantizeInt8(matrix, [end - first, to.stride]);
      this.#memory.scales(to.scales!).fill(scales[0], first, first + rows);
      await this.#memory.buffer(to.memory).write(codes, first * to.stride);
    }
  }
}

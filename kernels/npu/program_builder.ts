/**
 * Makes the program of a plan: which launches, which passes over rows between them, and what memory they share.
 *
 * @module
 */

import { roundUp } from "../../tensor/pad.ts";
import type { AttentionStep, BufferId, Conv1dStep, GemmStep, LayerNormStep, Plan, Step } from "../step.ts";
import {
  type AttentionProblem,
  attentionProgram,
  attentionRows,
  attentionStream,
} from "./attention_stream.ts";
import { bytesOf, type MatmulProgram, type OverlayDesign } from "./design.ts";
import { granularityOf, type Product, productStream } from "./instructions.ts";
import { PlanReading, productName } from "./plan_reading.ts";
import { type NpuOperand, type NpuPolicy, operandOf } from "./policy.ts";
import type { HeadPlaces, MatrixId, MemoryId, NpuProgram, RowsOperation, ScalesId } from "./program.ts";
import { ProgramParts } from "./program_parts.ts";

/** What a program is made for. */
export interface ProgramOptions {
  /** The overlay. */
  readonly design: OverlayDesign;
  /** Types of the products. */
  readonly policy: NpuPolicy;
  /** Windows that are done at a time, 1 or more; default 1. */
  readonly windows?: number;
  /** Steps to leave to the CPU device; default none. */
  readonly onCpu?: (step: Step) => boolean;
}

/** Makes a program. */
class ProgramBuilder {
  readonly #plan: Plan;
  readonly #reading: PlanReading;
  readonly #windows: number;
  readonly #design: OverlayDesign;
  readonly #policy: NpuPolicy;
  readonly #onCpu: (step: Step) => boolean;
  readonly #parts = new ProgramParts();
  /** Passes that wait for their reader, by the buffer they make. */
  readonly #pending = new Map<BufferId, RowsOperation>();
  /** bf16 results of the NPU, [rows, stride], by buffer. */
  readonly #resident = new Map<BufferId, { memory: MemoryId; stride: number; rows: number }>();
  #layer = -1;

  constructor(plan: Plan, { design, policy, windows = 1, onCpu = () => false }: ProgramOptions) {
    this.#plan = plan;
    this.#reading = new PlanReading(plan);
    this.#windows = windows;
    this.#design = design;
    this.#policy = policy;
    this.#onCpu = onCpu;
  }

  build(): NpuProgram {
    this.#plan.steps.forEach((step, index) => {
      this.#layer = this.#reading.layerOf(step) ?? this.#layer;
      if (step.op === "gemm" && !this.#onCpu(step)) this.#gemm(step, index);
      else if (step.op === "conv1d" && !this.#onCpu(step)) this.#conv1d(step, index);
      else if (step.op === "attention" && this.#attends(step)) this.#attention(step);
      else if (step.op === "layernorm") this.#layerNorm(step, index);
      else this.#cpu(step);
    });
    this.#toHost(this.#plan.output);
    const { operations, memories, matrices, scales } = this.#parts;
    return { plan: this.#plan, windows: this.#windows, operations, memories, matrices, scales };
  }

  /** Whether an attention goes to the NPU: not if it was left to the CPU, or its heads are wider than the tiles. */
  #attends(step: AttentionStep): boolean {
    const found = this.#design.programs.find((program) => program.kind === "attention");
    if (this.#onCpu(step) || found?.kind !== "attention" || step.headWidth > found.width) return false;
    if (step.headWidth === found.width) return true;
    // Narrow heads are spread by the matrix before and gathered by the one behind: both must be on the NPU.
    const index = this.#plan.steps.indexOf(step);
    const [before, behind] = [this.#plan.steps[index - 1], this.#plan.steps[index + 1]];
    return before?.op === "gemm" && before.output === step.input && !this.#onCpu(before) &&
      behind?.op === "gemm" && behind.input === step.output && !this.#onCpu(behind);
  }

  #places(step: AttentionStep): HeadPlaces | null {
    const { program } = attentionProgram(this.#design);
    if (step.headWidth === program.width) return null;
    return { width: step.headWidth, step: program.width, axis: "N" };
  }

  /** Makes a buffer's F32 values be in host memory. */
  #toHost(buffer: BufferId): void {
    const waiting = this.#pending.get(buffer);
    const resident = this.#resident.get(buffer);
    if (waiting) {
      this.#pending.delete(buffer);
      if (waiting.norm) waiting.to = { buffer };
      else waiting.out = buffer;
      this.#parts.emit(waiting);
    } else if (resident) {
      this.#resident.delete(buffer);
      const { memory, stride } = resident;
      this.#parts.emit({ ...this.#rowsOf(buffer), from: { memory, type: "bf16", stride }, out: buffer });
    }
  }

  /** A pass over a buffer's rows that does nothing yet. */
  #rowsOf(buffer: BufferId): RowsOperation {
    const { name, rows, columns } = this.#plan.buffers[buffer];
    return {
      op: "rows",
      name,
      layer: this.#layer,
      rows: this.#windows * rows,
      columns,
      from: { buffer },
      scales: null,
      bias: null,
      heads: null,
      gelu: false,
      addend: null,
      out: null,
      norm: null,
      to: null,
    };
  }

  /** Takes the pass that makes a buffer, or begins one. */
  #takeRows(buffer: BufferId): RowsOperation {
    const waiting = this.#pending.get(buffer);
    this.#pending.delete(buffer);
    const resident = this.#resident.get(buffer);
    if (waiting) return waiting;
    if (!resident) return this.#rowsOf(buffer);
    return {
      ...this.#rowsOf(buffer),
      columns: resident.stride,
      from: { memory: resident.memory, type: "bf16", stride: resident.stride },
    };
  }

  #forget(buffer: BufferId): void {
    this.#pending.delete(buffer);
    this.#resident.delete(buffer);
  }

  #cpu(step: Step): void {
    this.#toHost(step.input);
    if (step.op === "gemm" && step.residual !== null) this.#toHost(step.residual);
    this.#forget(step.output);
    this.#parts.emit({ op: "cpu", name: step.op, layer: this.#layer, step });
  }

  #layerNorm(step: LayerNormStep, index: number): void {
    const waiting = this.#pending.get(step.input);
    const rows = waiting && waiting.norm === null ? this.#takeRows(step.input) : null;
    if (!rows) this.#toHost(step.input);
    const pass = rows ?? this.#rowsOf(step.input);
    if (rows && this.#reading.isKeptBeside(step.input, index)) pass.out = step.input;
    pass.norm = { weight: step.weight, bias: step.bias };
    this.#forget(step.output);
    this.#pending.set(step.output, pass);
    // What others read of the residual stream must be there before them: the pass runs now if nothing takes it next.
    const next = this.#plan.steps[index + 1];
    if (next === undefined || next.input !== step.output) this.#toHost(step.output);
  }

  #program(operand: NpuOperand): { index: number; program: MatmulProgram } {
    const index = this.#design.programs.findIndex((program) =>
      program.kind === "matmul" && program.input === operand
    );
    return { index, program: this.#design.programs[index] as MatmulProgram };
  }

  /** The operand A of a product, made from a buffer: rows padded to whole launches, of all windows or of each. */
  #operand(
    buffer: BufferId,
    operand: NpuOperand,
    { rows, stride, firstRow = 0, apart = false }: {
      readonly rows: number;
      readonly stride: number;
      readonly firstRow?: number;
      readonly apart?: boolean;
    },
  ): { memory: MemoryId; scales: ScalesId | null } {
    const resident = this.#resident.get(buffer);
    if (resident && operand === "bf16" && resident.stride === stride && resident.rows >= rows && !apart) {
      return { memory: resident.memory, scales: null };
    }
    const pass = this.#takeRows(buffer);
    const bytes = Math.ceil(bytesOf(operand, (apart ? this.#windows : 1) * rows * stride));
    const perTensor = operand === "i8" && this.#policy.scaling === "tensor";
    const scales = operand === "i8" ? this.#parts.scales.push(pass.rows) - 1 : null;
    const memory = this.#parts.memory(bytes);
    pass.to = { memory, type: operand, rows, stride, firstRow, scales, perTensor, apart };
    this.#parts.emit(pass);
    return { memory, scales };
  }

  /**
   * The launch of a product; the pass that takes its sums to the host.
   *
   * @param size `M` rows of A for each of `products`, which are done in order. A next one's rows of C follow the last
   * one's, over what those were padded with; its rows of A begin `step` bytes behind the last one's.
   */
  #product(
    name: string,
    operand: NpuOperand,
    a: { readonly memory: MemoryId; readonly scales: ScalesId | null; readonly stride: number },
    matrix: MatrixId,
    size: {
      readonly M: number;
      readonly operations: number;
      readonly products?: number;
      readonly step?: number;
    },
  ): Pick<RowsOperation, "from" | "scales"> {
    const { index, program } = this.#program(operand);
    const unit = granularityOf(this.#design, program);
    const { K, N } = this.#parts.matrices[matrix];
    const { products: count = 1, step = 0 } = size;
    const M = roundUp(size.M, unit.M);
    const memory = this.#parts.memory(bytesOf(program.output, ((count - 1) * size.M + M) * N));
    const products = Array.from({ length: count }, (_, i): Product => ({
      M,
      K,
      N,
      program: index,
      a: { argument: 0, offset: i * step, stride: a.stride },
      c: { argument: 2, offset: bytesOf(program.output, i * size.M * N) },
    }));
    this.#parts.emit({
      op: "launch",
      name,
      layer: this.#layer,
      program: index,
      streamKey: JSON.stringify(products),
      stream: () => productStream(this.#design, products),
      buffers: [{ memory: a.memory }, { matrix }, { memory }],
      operations: size.operations,
      arithmetic: operand,
    });
    const type = program.output === "i32" ? "i32" : "f32";
    return {
      from: { memory, type, stride: N },
      scales: a.scales === null ? null : { rows: a.scales, matrix },
    };
  }

  #gemm(step: GemmStep, index: number): void {
    const operand = operandOf(this.#policy, this.#layer);
    const { program } = this.#program(operand);
    const unit = granularityOf(this.#design, program);
    const next = this.#reading.readers(step.output, index)[0];
    const outHeads = next?.op === "attention" && this.#attends(next) ? this.#places(next) : null;
    const resident = this.#resident.get(step.input);
    const previous = this.#plan.steps[index - 1];
    const inHeads = resident && previous?.op === "attention" ? this.#places(previous) : null;
    const places = inHeads ? { ...inHeads, axis: "K" as const } : outHeads;
    const widened = (columns: number) => places === null ? columns : columns / places.width * places.step;
    const K = roundUp(inHeads ? widened(step.K) : step.K, unit.K);
    const N = roundUp(outHeads ? widened(step.N) : step.N, unit.N);
    const M = this.#windows * step.M;
    const a = this.#operand(step.input, operand, { rows: roundUp(M, unit.M), stride: K });
    const matrix = this.#parts.matrices.push({
      weights: step.parts.map(({ weight }) => weight),
      operand,
      K,
      N,
      channels: null,
      heads: places,
    }) - 1;
    if (step.residual !== null) this.#toHost(step.residual);
    const sums = this.#product(
      productName(this.#reading.weightName(step.parts[0].weight)),
      operand,
      { ...a, stride: K },
      matrix,
      { M, operations: 2 * M * step.N * step.K },
    );
    this.#finish(step.output, index, {
      ...this.#rowsOf(step.output),
      columns: outHeads ? widened(step.N) : step.N,
      ...sums,
      bias: step.parts.some(({ bias }) => bias !== null)
        ? step.parts.map(({ bias, N }) => ({ weight: bias, columns: N }))
        : null,
      heads: outHeads,
      gelu: step.activation === "gelu",
      addend: step.residual === null ? null : { buffer: step.residual },
    });
  }

  #conv1d(step: Conv1dStep, index: number): void {
    const operand = "bf16"; // 3 % of the work, and the input of everything
    const { program } = this.#program(operand);
    const unit = granularityOf(this.#design, program);
    const { channelsIn, channelsOut, framesIn, framesOut, stride } = step;
    const K = roundUp(3 * channelsIn, unit.K);
    const M = roundUp(framesOut, unit.M);
    // Row t of A begins at frame t·stride − 1; a frame of zeros lies before the first. Padded rows and columns of the
    // last ones reach beyond the frames.
    const rows = Math.max(framesIn + 2, (M - 1) * stride + Math.ceil(K / channelsIn));
    const a = this.#operand(step.input, operand, { rows, stride: channelsIn, firstRow: 1, apart: true });
    const matrix = this.#parts.matrices.push({
      weights: [step.weight],
      operand,
      K,
      N: roundUp(channelsOut, unit.N),
      channels: channelsIn,
      heads: null,
    }) - 1;
    const sums = this.#product(
      productName(this.#reading.weightName(step.weight)),
      operand,
      { ...a, stride: stride * channelsIn },
      matrix,
      {
        M: framesOut,
        operations: this.#windows * 2 * framesOut * channelsOut * 3 * channelsIn,
        products: this.#windows,
        step: bytesOf(operand, rows * channelsIn),
      },
    );
    this.#finish(step.output, index, {
      ...this.#rowsOf(step.output),
      ...sums,
      bias: [{ weight: step.bias, columns: channelsOut }],
      gelu: true,
      addend: step.addend === null ? null : { weight: step.addend },
    });
  }

  /** A result waits for its only reader, or goes to host memory where several read it. */
  #finish(output: BufferId, index: number, rows: RowsOperation): void {
    this.#forget(output);
    this.#pending.set(output, rows);
    const next = this.#plan.steps[index + 1];
    const isTakenNext = next !== undefined && next.input === output;
    if (!isTakenNext || (this.#reading.isKept(output, index) && next.op !== "layernorm")) {
      this.#toHost(output);
    }
  }

  #attention(step: AttentionStep): void {
    const { index, program } = attentionProgram(this.#design);
    const { T, heads } = step;
    const rows = attentionRows(this.#design, program, T);
    const C = heads * program.width;
    // The rows of the pass before are as wide as the heads' places already.
    const { memory: input } = this.#operand(step.input, "bf16", { rows, stride: 3 * C, apart: true });
    // Each window's rows of O follow the last one's, over what those were padded with; they are done in order.
    const all = Math.max((this.#windows - 1) * T + rows, this.#operandRows(this.#windows * T));
    const output = this.#parts.memory(bytesOf(program.output, all * C));
    const problems = Array.from({ length: this.#windows }, (_, i): AttentionProblem => ({
      T,
      heads,
      scale: 1 / Math.sqrt(step.headWidth),
      input: { argument: 0, offset: bytesOf(program.input, i * rows * 3 * C) },
      output: { argument: 1, offset: bytesOf(program.output, i * T * C) },
    }));
    this.#parts.emit({
      op: "launch",
      name: "attention",
      layer: this.#layer,
      program: index,
      streamKey: JSON.stringify(problems),
      stream: () => attentionStream(this.#design, problems),
      buffers: [{ memory: input }, { memory: output }],
      operations: this.#windows * 4 * T * T * heads * step.headWidth,
      arithmetic: "bf16",
    });
    this.#forget(step.output);
    this.#resident.set(step.output, { memory: output, stride: C, rows: all });
  }

  /** Rows that a bf16 operand has. */
  #operandRows(M: number): number {
    return roundUp(M, granularityOf(this.#design, this.#program("bf16").program).M);
  }
}

/** Makes a plan's program for an overlay and a policy. */
export function programFor(plan: Plan, options: ProgramOptions): NpuProgram {
  return new ProgramBuilder(plan, options).build();
}

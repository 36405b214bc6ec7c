/**
 * A plan as the NPU carries it out: launches, and passes over rows on the host between them.
 *
 * A product leaves its sums in a buffer of the NPU. Bias, GELU, residual and the layer norm behind it wait until it is
 * known what reads the result, then go with the conversion into one pass: sums in, the next product's operand out.
 *
 *     gemm                                 launch
 *     bias, + residual, layer norm         rows: sums → F32 residual stream, and → bf16 operand
 *     gemm …                               launch
 *
 * Convolutions are products too: output frame t reads the rows t·stride − 1 … t·stride + 1 of the frames, which lie one
 * after the other, so that A is a view of the frames with overlapping rows, and nothing is copied.
 *
 * @module
 */

import type {
  AttentionStep,
  BufferId,
  Conv1dStep,
  GemmStep,
  LayerNormStep,
  Plan,
  Step,
  WeightId,
} from "../step.ts";
import { attentionProgram, attentionRows, attentionStream } from "./attention_stream.ts";
import { bytesOf, type MatmulProgram, type OverlayDesign } from "./design.ts";
import { granularityOf, type Product, productStream } from "./instructions.ts";
import type { NpuOperand, NpuPolicy } from "./policy.ts";
import { operandOf } from "./policy.ts";
import type { Transaction } from "./transaction.ts";

/** Index into {@linkcode NpuProgram.memories}. */
export type MemoryId = number;
/** Index into {@linkcode NpuProgram.matrices}. */
export type MatrixId = number;
/** Index into {@linkcode NpuProgram.scales}. */
export type ScalesId = number;

/** Memory of the NPU that an operation writes and later ones read. */
export interface Memory {
  /** Size, which grows while the program is made. */
  bytes: number;
  /** Index of the operation that writes it first. */
  first: number;
  /** Index of the operation that reads it last. */
  last: number;
}

/** A weight matrix on the NPU, B of a product: [K, N] row-major; in bfp16 [N, K] in DIM32 order. */
export interface WeightMatrix {
  /** Of which weights [n, k], side by side along N; convolutions' [n, channels, 3] read as [n, 3·channels]. */
  readonly weights: readonly WeightId[];
  /** As in memory. */
  readonly operand: NpuOperand;
  /** Rows in memory; those beyond the weight's are 0. */
  readonly K: number;
  /** Columns in memory. */
  readonly N: number;
  /** Set for a convolution: its channels. */
  readonly channels: number | null;
  /** Heads narrower than the attention's tile lie this far apart, in columns or rows of the matrix. */
  readonly heads: HeadPlaces | null;
}

/** Where heads lie that are narrower than the attention's tile: the rest of each place is 0. */
export interface HeadPlaces {
  /** Values of a head. */
  readonly width: number;
  /** Values from one head to the next. */
  readonly step: number;
  /** `N`: heads are columns of B (query, key, value); `K`: rows (the projection behind). */
  readonly axis: "N" | "K";
}

/** A launch: an instruction stream on buffers. */
export interface LaunchOperation {
  /** Which operation. */
  readonly op: "launch";
  /** What for: `query, key, value`, `attention` …. */
  readonly name: string;
  /** Layer of the encoder, −1 before the first. */
  readonly layer: number;
  /** The same text for the same stream. */
  readonly streamKey: string;
  /** Makes the stream. */
  readonly stream: () => Transaction;
  /** bo0, bo1, … */
  readonly buffers: readonly ({ readonly memory: MemoryId } | { readonly matrix: MatrixId })[];
  /** Multiplications and additions that the plan needs, without padding. */
  readonly operations: number;
  /** Types, such as `bf16`. */
  readonly arithmetic: NpuOperand;
}

/** Where rows come from. */
export type RowsFrom =
  | { readonly memory: MemoryId; readonly type: "f32" | "i32" | "bf16"; readonly stride: number }
  | { readonly buffer: BufferId };

/** Where rows go. */
export type RowsTo =
  | {
    readonly memory: MemoryId;
    readonly type: "bf16" | "bfp16" | "i8";
    readonly stride: number;
    readonly rows: number;
    readonly firstRow: number;
    readonly scales: ScalesId | null;
    /** One scale for the matrix instead of one for each row. */
    readonly perTensor: boolean;
  }
  | { readonly buffer: BufferId };

/** A pass over rows on the host. */
export interface RowsOperation {
  /** Which operation. */
  readonly op: "rows";
  /** What of, for profiles. */
  readonly name: string;
  /** Layer of the encoder. */
  readonly layer: number;
  /** Rows. */
  readonly rows: number;
  /** Values of each. */
  readonly columns: number;
  /** What is read. */
  from: RowsFrom;
  /** Scales of the rows of an `i32` product, and the matrix whose scales its columns have. */
  scales: { readonly rows: ScalesId; readonly matrix: MatrixId } | null;
  /** Side by side; null where a part has none. */
  bias: readonly { readonly weight: WeightId | null; readonly columns: number }[] | null;
  /** Where the columns of narrow heads lie. */
  heads: HeadPlaces | null;
  /** GELU behind the bias. */
  gelu: boolean;
  /** Added behind it. */
  addend: { readonly buffer: BufferId } | { readonly weight: WeightId } | null;
  /** Receives what is there before the layer norm. */
  out: BufferId | null;
  /** Weight and bias. */
  norm: { readonly weight: WeightId; readonly bias: WeightId } | null;
  /** The converted rows. */
  to: RowsTo | null;
}

/** A step that runs on the CPU device as it is. */
export interface CpuOperation {
  /** Which operation. */
  readonly op: "cpu";
  /** What for. */
  readonly name: string;
  /** Layer of the encoder. */
  readonly layer: number;
  /** The step. */
  readonly step: Step;
}

/** What is done, in order. */
export type NpuOperation = LaunchOperation | RowsOperation | CpuOperation;

/** A plan for the NPU. */
export interface NpuProgram {
  /** What it was made from. */
  readonly plan: Plan;
  /** In order. */
  readonly operations: readonly NpuOperation[];
  /** Memory between launches. */
  readonly memories: readonly Memory[];
  /** Weights. */
  readonly matrices: readonly WeightMatrix[];
  /** Rows of each array of scales. */
  readonly scales: readonly number[];
}

/** What a program is made for. */
export interface ProgramOptions {
  /** The overlay. */
  readonly design: OverlayDesign;
  /** Types of the products. */
  readonly policy: NpuPolicy;
  /** Steps to leave to the CPU device; default none. */
  readonly onCpu?: (step: Step) => boolean;
}

const LAYER_NAME = /blocks\.(\d+)\./;

function roundUp(value: number, to: number): number {
  return Math.ceil(value / to) * to;
}

/** Names of the products of a layer, by the weights they multiply with. */
function productName(weight: string): string {
  if (weight.includes(".attn.query")) return "query, key, value";
  if (weight.includes(".attn.out")) return "attention out";
  if (weight.includes(".mlp.0")) return "mlp up";
  if (weight.includes(".mlp.2")) return "mlp down";
  return weight.replace(/^encoder\./, "").replace(/\.weight$/, "");
}

/** Makes a program. */
class ProgramBuilder {
  readonly #plan: Plan;
  readonly #design: OverlayDesign;
  readonly #policy: NpuPolicy;
  readonly #onCpu: (step: Step) => boolean;
  readonly #operations: NpuOperation[] = [];
  readonly #memories: Memory[] = [];
  readonly #matrices: WeightMatrix[] = [];
  readonly #scales: number[] = [];
  /** Passes that wait for their reader, by the buffer they make. */
  readonly #pending = new Map<BufferId, RowsOperation>();
  /** bf16 results of the NPU, [rows, stride], by buffer. */
  readonly #resident = new Map<BufferId, { memory: MemoryId; stride: number; rows: number }>();
  #layer = -1;

  constructor(plan: Plan, { design, policy, onCpu = () => false }: ProgramOptions) {
    this.#plan = plan;
    this.#design = design;
    this.#policy = policy;
    this.#onCpu = onCpu;
  }

  build(): NpuProgram {
    this.#plan.steps.forEach((step, index) => {
      this.#layer = this.#layerOf(step) ?? this.#layer;
      if (step.op === "gemm" && !this.#onCpu(step)) this.#gemm(step, index);
      else if (step.op === "conv1d" && !this.#onCpu(step)) this.#conv1d(step, index);
      else if (step.op === "attention" && this.#attends(step)) this.#attention(step);
      else if (step.op === "layernorm") this.#layerNorm(step, index);
      else this.#cpu(step);
    });
    this.#toHost(this.#plan.output);
    return {
      plan: this.#plan,
      operations: this.#operations,
      memories: this.#memories,
      matrices: this.#matrices,
      scales: this.#scales,
    };
  }

  #weightName(id: WeightId): string {
    return this.#plan.weights[id].name;
  }

  #layerOf(step: Step): number | null {
    const id = step.op === "gemm"
      ? step.parts[0].weight
      : step.op === "layernorm" || step.op === "conv1d"
      ? step.weight
      : null;
    const found = id === null ? null : LAYER_NAME.exec(this.#weightName(id));
    return found ? Number(found[1]) : null;
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

  #memory(bytes: number): MemoryId {
    const now = this.#operations.length;
    return this.#memories.push({ bytes, first: now, last: now }) - 1;
  }

  #emit(operation: NpuOperation): void {
    const index = this.#operations.push(operation) - 1;
    const touch = (id: MemoryId) => {
      this.#memories[id].first = Math.min(this.#memories[id].first, index);
      this.#memories[id].last = Math.max(this.#memories[id].last, index);
    };
    if (operation.op === "launch") {
      for (const buffer of operation.buffers) if ("memory" in buffer) touch(buffer.memory);
    } else if (operation.op === "rows") {
      if ("memory" in operation.from) touch(operation.from.memory);
      if (operation.to && "memory" in operation.to) touch(operation.to.memory);
    }
  }

  /** The steps behind `index` that read what is in a buffer now. */
  #readers(buffer: BufferId, index: number): Step[] {
    const readers: Step[] = [];
    for (const step of this.#plan.steps.slice(index + 1)) {
      if (step.input === buffer || (step.op === "gemm" && step.residual === buffer)) readers.push(step);
      if (step.output === buffer) break;
    }
    return readers;
  }

  /** Whether F32 values of a buffer are wanted beside what the step right behind makes of them. */
  #isKept(buffer: BufferId, index: number): boolean {
    const [next, ...later] = this.#readers(buffer, index);
    return next === undefined || later.length > 0 || (next.op === "gemm" && next.residual === buffer);
  }

  /** Makes a buffer's F32 values be in host memory. */
  #toHost(buffer: BufferId): void {
    const waiting = this.#pending.get(buffer);
    const resident = this.#resident.get(buffer);
    if (waiting) {
      this.#pending.delete(buffer);
      if (waiting.norm) waiting.to = { buffer };
      else waiting.out = buffer;
      this.#emit(waiting);
    } else if (resident) {
      this.#resident.delete(buffer);
      const { memory, stride } = resident;
      this.#emit({ ...this.#rowsOf(buffer), from: { memory, type: "bf16", stride }, out: buffer });
    }
  }

  /** A pass over a buffer's rows that does nothing yet. */
  #rowsOf(buffer: BufferId): RowsOperation {
    const { name, rows, columns } = this.#plan.buffers[buffer];
    return {
      op: "rows",
      name,
      layer: this.#layer,
      rows,
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
    this.#emit({ op: "cpu", name: step.op, layer: this.#layer, step });
  }

  #layerNorm(step: LayerNormStep, index: number): void {
    const waiting = this.#pending.get(step.input);
    const rows = waiting && waiting.norm === null ? this.#takeRows(step.input) : null;
    if (!rows) this.#toHost(step.input);
    const pass = rows ?? this.#rowsOf(step.input);
    if (rows && this.#isKeptBeside(step.input, index)) pass.out = step.input;
    pass.norm = { weight: step.weight, bias: step.bias };
    this.#forget(step.output);
    this.#pending.set(step.output, pass);
    // What others read of the residual stream must be there before them: the pass runs now if nothing takes it next.
    const next = this.#plan.steps[index + 1];
    if (next === undefined || next.input !== step.output) this.#toHost(step.output);
  }

  /** Whether a step behind `index` reads the buffer. */
  #isKeptBeside(buffer: BufferId, index: number): boolean {
    return this.#readers(buffer, index).length > 0 || buffer === this.#plan.output;
  }

  #program(operand: NpuOperand): { index: number; program: MatmulProgram } {
    const index = this.#design.programs.findIndex((program) =>
      program.kind === "matmul" && program.input === operand
    );
    return { index, program: this.#design.programs[index] as MatmulProgram };
  }

  /** The operand A of a product, made from a buffer: rows padded to whole launches. */
  #operand(
    buffer: BufferId,
    operand: NpuOperand,
    shape: { readonly rows: number; readonly stride: number; readonly firstRow?: number },
  ): { memory: MemoryId; scales: ScalesId | null } {
    const resident = this.#resident.get(buffer);
    if (resident && operand === "bf16" && resident.stride === shape.stride && resident.rows === shape.rows) {
      return { memory: resident.memory, scales: null };
    }
    const rows = this.#takeRows(buffer);
    const bytes = Math.ceil(bytesOf(operand, shape.rows * shape.stride));
    const perTensor = operand === "i8" && this.#policy.scaling === "tensor";
    const scales = operand === "i8" ? this.#scales.push(perTensor ? 1 : rows.rows) - 1 : null;
    const memory = this.#memory(bytes);
    rows.to = { memory, type: operand, ...shape, firstRow: shape.firstRow ?? 0, scales, perTensor };
    this.#emit(rows);
    return { memory, scales };
  }

  /** The launch of one product; the pass that takes its sums to the host. */
  #product(
    name: string,
    operand: NpuOperand,
    a: { readonly memory: MemoryId; readonly scales: ScalesId | null; readonly stride: number },
    matrix: MatrixId,
    size: { readonly M: number; readonly operations: number },
  ): Pick<RowsOperation, "from" | "scales"> {
    const { index, program } = this.#program(operand);
    const unit = granularityOf(this.#design, program);
    const { K, N } = this.#matrices[matrix];
    const M = roundUp(size.M, unit.M);
    const memory = this.#memory(bytesOf(program.output, M * N));
    const product: Product = { M, K, N, program: index, a: { argument: 0, stride: a.stride } };
    this.#emit({
      op: "launch",
      name,
      layer: this.#layer,
      streamKey: JSON.stringify(product),
      stream: () => productStream(this.#design, [product]),
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
    const next = this.#readers(step.output, index)[0];
    const outHeads = next?.op === "attention" && this.#attends(next) ? this.#places(next) : null;
    const resident = this.#resident.get(step.input);
    const previous = this.#plan.steps[index - 1];
    const inHeads = resident && previous?.op === "attention" ? this.#places(previous) : null;
    const places = inHeads ? { ...inHeads, axis: "K" as const } : outHeads;
    const widened = (columns: number) => places === null ? columns : columns / places.width * places.step;
    const K = roundUp(inHeads ? widened(step.K) : step.K, unit.K);
    const N = roundUp(outHeads ? widened(step.N) : step.N, unit.N);
    const rows = roundUp(step.M, unit.M);
    const a = this.#operand(step.input, operand, { rows, stride: K });
    const matrix = this.#matrices.push({
      weights: step.parts.map(({ weight }) => weight),
      operand,
      K,
      N,
      channels: null,
      heads: places,
    }) - 1;
    if (step.residual !== null) this.#toHost(step.residual);
    const sums = this.#product(
      productName(this.#weightName(step.parts[0].weight)),
      operand,
      { ...a, stride: K },
      matrix,
      {
        M: step.M,
        operations: 2 * step.M * step.N * step.K,
      },
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
    const a = this.#operand(step.input, operand, { rows, stride: channelsIn, firstRow: 1 });
    const matrix = this.#matrices.push({
      weights: [step.weight],
      operand,
      K,
      N: roundUp(channelsOut, unit.N),
      channels: channelsIn,
      heads: null,
    }) - 1;
    const sums = this.#product(
      productName(this.#weightName(step.weight)),
      operand,
      { ...a, stride: stride * channelsIn },
      matrix,
      { M: framesOut, operations: 2 * framesOut * channelsOut * 3 * channelsIn },
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
    if (!isTakenNext || (this.#isKept(output, index) && next.op !== "layernorm")) this.#toHost(output);
  }

  #attention(step: AttentionStep): void {
    const { program } = attentionProgram(this.#design);
    const rows = attentionRows(this.#design, program, step.T);
    const C = step.heads * program.width;
    // The rows of the pass before are as wide as the heads' places already.
    const { memory: input } = this.#operand(step.input, "bf16", { rows, stride: 3 * C });
    const output = this.#memory(bytesOf(program.output, rows * C));
    const problem = { T: step.T, heads: step.heads, scale: 1 / Math.sqrt(step.headWidth) };
    this.#emit({
      op: "launch",
      name: "attention",
      layer: this.#layer,
      streamKey: JSON.stringify(problem),
      stream: () => attentionStream(this.#design, [problem]),
      buffers: [{ memory: input }, { memory: output }],
      operations: 4 * step.T * step.T * step.heads * step.headWidth,
      arithmetic: "bf16",
    });
    this.#forget(step.output);
    this.#resident.set(step.output, { memory: output, stride: C, rows });
  }
}

/** Makes a plan's program for an overlay and a policy. */
export function programFor(plan: Plan, options: ProgramOptions): NpuProgram {
  return new ProgramBuilder(plan, options).build();
}

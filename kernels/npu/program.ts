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
 * Windows that are done together lie one below the other: products have windows × rows rows of A, and a launch serves all.
 * Only what reads across rows keeps them apart: frames of a convolution, and keys of attention (`RowsTo.apart`).
 *
 * @module
 */

import type { BufferId, Plan, Step, WeightId } from "../step.ts";
import type { NpuOperand } from "./policy.ts";
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
  /** Index of the overlay's program. */
  readonly program: number;
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
    /** One scale for a window's matrix instead of one for each row. */
    readonly perTensor: boolean;
    /**
     * Whether each window has `rows` rows of its own, zeros around what it fills; else `rows` are those of all windows.
     * Rows that belong to no window must be 0 where neighbours are read: 0 · NaN of another window would be NaN.
     */
    readonly apart: boolean;
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
  /** Rows, of all windows. */
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
  /** Windows that are done at a time. */
  readonly windows: number;
  /** In order. */
  readonly operations: readonly NpuOperation[];
  /** Memory between launches. */
  readonly memories: readonly Memory[];
  /** Weights. */
  readonly matrices: readonly WeightMatrix[];
  /** Rows of each array of scales, of all windows. */
  readonly scales: readonly number[];
}

/**
 * The steps a plan consists of. A step is frozen data: which buffers and weights take part, in which shapes,
 * and what is fused behind. A device interprets it.
 *
 * Letters: T frames, C state, H heads, D head width, M×K · K×N a product. All buffers are F32, row-major.
 *
 * @module
 */

/** Index into {@linkcode Plan.buffers}. */
export type BufferId = number;
/** Index into {@linkcode Plan.weights}. */
export type WeightId = number;

/**
 * Arithmetic of a product: what its operands are rounded to. Sums are kept in F32; for `i8`, 64 values of a row share
 * a scale, and their sums are exact; in attention a query, a key, and 64 keys' weights or values of one column.
 */
export type Arithmetic = "f32" | "f16" | "bf16" | "i8";

/** `out[c, r] = in[r, c]`: the log-mel comes as [bands, frames], the convolution reads [frames, bands]. */
export interface TransposeStep {
  /** Which operation. */
  readonly op: "transpose";
  /** [rows, columns]. */
  readonly input: BufferId;
  /** [columns, rows]. */
  readonly output: BufferId;
  /** Rows of the input. */
  readonly rows: number;
  /** Columns of the input. */
  readonly columns: number;
}

/**
 * `out[t, n] = gelu(bias[n] + Σ in[t·stride + j − 1, k] · weight[n, k, j])`, j = 0…2, frames outside are 0;
 * `in` [framesIn, channelsIn], `out` [framesIn / stride, channelsOut]; then `addend` [framesOut, channelsOut]
 * is added, where there is one.
 */
export interface Conv1dStep {
  /** Which operation. */
  readonly op: "conv1d";
  /** [framesIn, channelsIn]. */
  readonly input: BufferId;
  /** [framesOut, channelsOut]. */
  readonly output: BufferId;
  /** [channelsOut, channelsIn, 3]. */
  readonly weight: WeightId;
  /** [channelsOut]. */
  readonly bias: WeightId;
  /** [framesOut, channelsOut], or none. */
  readonly addend: WeightId | null;
  /** Frames of the input. */
  readonly framesIn: number;
  /** framesIn / stride. */
  readonly framesOut: number;
  /** Channels of the input. */
  readonly channelsIn: number;
  /** Channels of the output. */
  readonly channelsOut: number;
  /** Input frames per output frame. */
  readonly stride: 1 | 2;
  /** What the products are computed in. */
  readonly arithmetic: Arithmetic;
}

/** `out[r] = (in[r] − mean) / √(variance + 1e-5) · weight + bias`, over the columns of each row. */
export interface LayerNormStep {
  /** Which operation. */
  readonly op: "layernorm";
  /** [rows, columns]. */
  readonly input: BufferId;
  /** [rows, columns]. */
  readonly output: BufferId;
  /** [columns]. */
  readonly weight: WeightId;
  /** [columns]. */
  readonly bias: WeightId;
  /** Rows, each normalized by itself. */
  readonly rows: number;
  /** Values of a row. */
  readonly columns: number;
}

/** One matrix of a {@linkcode GemmStep}: weight [N, K] row-major, bias [N] or none. */
export interface GemmPart {
  /** [N, K]. */
  readonly weight: WeightId;
  /** [N], or none. */
  readonly bias: WeightId | null;
  /** Columns of the output that it fills. */
  readonly N: number;
}

/**
 * `out = act(in · Wᵀ + bias) (+ residual)`, in [M, K], out [M, N]; the parts lie side by side in `out`, so
 * that query, key and value come of one product with N = 3C.
 */
export interface GemmStep {
  /** Which operation. */
  readonly op: "gemm";
  /** [M, K]. */
  readonly input: BufferId;
  /** [M, N]. */
  readonly output: BufferId;
  /** One to three. */
  readonly parts: readonly GemmPart[];
  /** Rows of the input and the output. */
  readonly M: number;
  /** Columns of the input. */
  readonly K: number;
  /** Sum of the parts' N. */
  readonly N: number;
  /** Exact (erf) GELU, or nothing. */
  readonly activation: "none" | "gelu";
  /** Added to the result, [M, N]; may be the output itself. */
  readonly residual: BufferId | null;
  /** What the products are computed in. */
  readonly arithmetic: Arithmetic;
  /** F32 [K], by which the columns of every part's weight are multiplied before they are rounded; default none. */
  readonly columnScales?: WeightId;
}

/**
 * `out[t, h] = softmax(q[t, h] · kᵀ[h] / √D) · v[h]` for each head; `input` [T, 3C] holds q, k and v side by
 * side, head h in columns h·D…; out [T, C]. No mask.
 */
export interface AttentionStep {
  /** Which operation. */
  readonly op: "attention";
  /** [T, 3C]. */
  readonly input: BufferId;
  /** [T, C]. */
  readonly output: BufferId;
  /** Frames that attend to each other. */
  readonly T: number;
  /** H. */
  readonly heads: number;
  /** D = C / H. */
  readonly headWidth: number;
  /** What the products are computed in. */
  readonly arithmetic: Arithmetic;
}

/** A step of a plan. */
export type Step = TransposeStep | Conv1dStep | LayerNormStep | GemmStep | AttentionStep;

/** An activation: F32 [rows, columns], row-major, contiguous. */
export interface BufferSpec {
  /** For messages. */
  readonly name: string;
  /** Frames, or bands before the transposition. */
  readonly rows: number;
  /** Values of a row. */
  readonly columns: number;
}

/** Steps over buffers and weights, all known before anything runs. */
export interface Plan {
  /** Buffers by {@linkcode BufferId}. */
  readonly buffers: readonly BufferSpec[];
  /** Weights by {@linkcode WeightId}: openai-whisper's name and the shape it must have. */
  readonly weights: readonly { readonly name: string; readonly shape: readonly number[] }[];
  /** In order. */
  readonly steps: readonly Step[];
  /** The buffer the caller fills. */
  readonly input: BufferId;
  /** The buffer the caller reads. */
  readonly output: BufferId;
}

/** Multiplications and additions of a step, counted as two operations each. */
export function operationsOf(step: Step): number {
  switch (step.op) {
    case "conv1d":
      return 2 * step.framesOut * step.channelsOut * step.channelsIn * 3;
    case "gemm":
      return 2 * step.M * step.N * step.K;
    case "attention":
      return 4 * step.T * step.T * step.heads * step.headWidth;
    default:
      return 0;
  }
}

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

/** Arithmetic of a product: the type of its operands. Sums are kept in F32 (in INT32 for `i8`). */
export type Arithmetic = "f32" | "f16" | "bf16" | "i8";

/** `out[c, r] = in[r, c]`: the log-mel comes as [bands, frames], the convolution reads [frames, bands]. */
export interface TransposeStep {
  readonly op: "transpose";
  readonly input: BufferId;
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
  readonly op: "conv1d";
  readonly input: BufferId;
  readonly output: BufferId;
  readonly weight: WeightId;
  readonly bias: WeightId;
  readonly addend: WeightId | null;
  readonly framesIn: number;
  readonly framesOut: number;
  readonly channelsIn: number;
  readonly channelsOut: number;
  readonly stride: 1 | 2;
  readonly arithmetic: Arithmetic;
}

/** `out[r] = (in[r] − mean) / √(variance + 1e-5) · weight + bias`, over the columns of each row. */
export interface LayerNormStep {
  readonly op: "layernorm";
  readonly input: BufferId;
  readonly output: BufferId;
  readonly weight: WeightId;
  readonly bias: WeightId;
  readonly rows: number;
  readonly columns: number;
}

/** One matrix of a {@linkcode GemmStep}: weight [N, K] row-major, bias [N] or none. */
export interface GemmPart {
  readonly weight: WeightId;
  readonly bias: WeightId | null;
  readonly N: number;
}

/**
 * `out = act(in · Wᵀ + bias) (+ residual)`, in [M, K], out [M, N]; the parts lie side by side in `out`, so
 * that query, key and value come of one product with N = 3C.
 */
export interface GemmStep {
  readonly op: "gemm";
  readonly input: BufferId;
  readonly output: BufferId;
  readonly parts: readonly GemmPart[];
  readonly M: number;
  readonly K: number;
  /** Sum of the parts' N. */
  readonly N: number;
  /** Exact (erf) GELU, or nothing. */
  readonly activation: "none" | "gelu";
  /** Added to the result, [M, N]; may be the output itself. */
  readonly residual: BufferId | null;
  readonly arithmetic: Arithmetic;
}

/**
 * `out[t, h] = softmax(q[t, h] · kᵀ[h] / √D) · v[h]` for each head; `input` [T, 3C] holds q, k and v side by
 * side, head h in columns h·D…; out [T, C]. No mask.
 */
export interface AttentionStep {
  readonly op: "attention";
  readonly input: BufferId;
  readonly output: BufferId;
  readonly T: number;
  readonly heads: number;
  readonly headWidth: number;
  readonly arithmetic: Arithmetic;
}

/** A step of a plan. */
export type Step = TransposeStep | Conv1dStep | LayerNormStep | GemmStep | AttentionStep;

/** An activation: F32 [rows, columns], row-major, contiguous. */
export interface BufferSpec {
  readonly name: string;
  readonly rows: number;
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

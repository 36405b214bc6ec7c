/**
 * What a device can do: interpret an encoder plan, run the text decoder token by token, and take the power
 * spectrum of audio. Everything above this line is the same for all devices.
 *
 * @module
 */

import type { ErrorCode, WarningSink } from "../errors.ts";
import type { LibraryStep } from "../ffi/library_path.ts";
import type { DecoderDimensions } from "../model/dimensions.ts";
import type { WeightStore } from "../model/weights.ts";
import type { NpuUsage } from "./npu/statistics.ts";
import type { Arithmetic, Plan } from "./step.ts";

/** Names a caller may ask for; `auto` takes the best that is usable. */
export type DeviceName = "npu" | "npu-emulated" | "cpu" | "portable";

/** Whether a device can be used here, and if not why. */
export interface DeviceProbe {
  /** Which device. */
  readonly name: DeviceName;
  /** Whether it can be opened with these options. */
  readonly usable: boolean;
  /** What it is, such as `AMD EPYC, avx512, 2 threads`; or why it cannot be used. */
  readonly detail: string;
  /** What to do to make it usable; empty if it is. */
  readonly hint: string;
  /** The error that asking for it by name would give; null if it is usable. */
  readonly code: ErrorCode | null;
  /** Where the device's native library was looked for, step by step; empty for the portable one, which has none. */
  readonly looked: readonly LibraryStep[];
}

/** A bank of triangular mel filters over the 201 bins of a 400-point FFT. */
export interface MelFilters {
  /** 80 or 128. */
  readonly bands: number;
  /** F32 [bands, 201], row-major. */
  readonly weights: Float32Array<ArrayBuffer>;
}

/** A device, open. Disposing it frees its threads; what was loaded on it must be disposed of before. */
export interface Device extends Disposable {
  /** Which device. */
  readonly name: DeviceName;
  /** What it is, such as `AMD EPYC, avx512, 2 threads`. */
  readonly description: string;
  /** Operations a second in each arithmetic it has kernels for, to compare them; a device without computes in F32. */
  readonly rates?: Readonly<Partial<Record<Arithmetic, number>>>;
  /** Of an NPU: what it was used for since it was opened. */
  usage?(): NpuUsage;

  /**
   * log10 of the mel power spectrum, not yet normalized.
   *
   * @param samples F32, 16 kHz; frame i is the Hann-windowed samples [160·i, 160·i + 400).
   * @param frames How many; `samples` must hold 160·(frames − 1) + 400.
   * @returns F32 [frames, bands], row-major: log10(max(mel power, 1e-10)).
   */
  logMelPower(
    samples: Float32Array<ArrayBuffer>,
    frames: number,
    filters: MelFilters,
  ): Promise<Float32Array<ArrayBuffer>>;

  /**
   * Prepares a plan with the weights it names.
   *
   * @throws {SottoError} E_MODEL_MISMATCH if a weight is missing or of another shape; E_MODEL_VALUES if one
   * holds NaN or infinity.
   */
  loadPlan(plan: Plan, weights: WeightStore, options?: LoadPlanOptions): Promise<LoadedPlan>;

  /**
   * Prepares the text decoder.
   *
   * @throws {SottoError} as {@linkcode Device.loadPlan}; E_OPTION for a precision that the device does not have.
   */
  loadDecoder(
    dims: DecoderDimensions,
    weights: WeightStore,
    options?: DecoderOptions,
  ): Promise<LoadedDecoder>;
}

/** What a device whose products are not those of the plan's arithmetic has to know of the caller's wishes. */
export interface LoadPlanOptions {
  /** How exact it has to be, as the encoder's option says; default `auto`. */
  readonly precision?: "auto" | "f32" | "half" | "int8";
}

/** A plan with its weights on a device. Calls queue; disposing during one is refused with E_BUSY. */
export interface LoadedPlan extends Disposable {
  /** What the products were computed in, such as `f32 (avx512)`. */
  readonly arithmetic: string;
  /**
   * Runs the plan once.
   *
   * @param input F32, as large as the plan's input buffer.
   * @returns F32, as large as the plan's output buffer; a new array.
   * @throws {SottoError} E_ABORTED within about 50 ms of `signal` aborting.
   */
  run(input: Float32Array<ArrayBuffer>, options?: RunOptions): Promise<Float32Array<ArrayBuffer>>;
}

/** Options of a run. */
export interface RunOptions {
  /** Ends the run. */
  readonly signal?: AbortSignal;
  /** Which part of the recording it is, in seconds: named where the device fails. */
  readonly span?: { readonly start: number; readonly end: number };
  /** Told if the device failed and another one went on. */
  readonly onWarning?: WarningSink;
}

/**
 * What a text decoder keeps its weights in. `stored`: as the checkpoint has them, F16 or F32. `int8`: the matrices that
 * every step reads in INT8, a scale for each 64 along a row; half of the bytes, for an error of the logits of about 1 %.
 * A device without such products computes more exactly; `LoadedDecoder.arithmetic` says in what.
 */
export type DecoderPrecision = "stored" | "int8";

/** How a text decoder is loaded. */
export interface DecoderOptions {
  /** Default `stored`. */
  readonly precision?: DecoderPrecision;
}

/** A text decoder with its weights on a device. */
export interface LoadedDecoder extends Disposable {
  /** What it was loaded with. */
  readonly dims: DecoderDimensions;
  /** What the products were computed in, such as `f16 weights, f32 sums (avx512)`. */
  readonly arithmetic: string;
  /** A decoding session with room for `hypotheses` sequences of up to n_text_ctx tokens over one window. */
  open(hypotheses: number): DecoderSession;
  /**
   * Takes a step in several sessions of this decoder at once: where the device can, in one reading of the weights. What a
   * session gets does not depend on the others.
   *
   * @param steps Of one session each.
   * @returns What {@linkcode DecoderSession.step} answers, for each.
   * @throws {SottoError} As that; then no session has taken its step on a device that takes them together.
   */
  stepTogether(steps: readonly SessionStep[], signal?: AbortSignal): Promise<Float32Array<ArrayBuffer>[]>;
}

/** What one session is given in a step; see {@linkcode DecoderSession.step}. */
export interface SessionStep {
  /** Opened by the decoder that takes the step. */
  readonly session: DecoderSession;
  /** Int32 [sequences, count]. */
  readonly tokens: Int32Array<ArrayBuffer>;
  /** How many. */
  readonly sequences: number;
  /** How many tokens they hold already. */
  readonly position: number;
  /** For which of the new tokens logits are wanted; default the last alone. */
  readonly rows?: readonly number[];
}

/**
 * The key and value cache of up to `hypotheses` token sequences over one window's features.
 *
 * Aborting a call's signal ends it within 50 ms, with E_ABORTED; the session may be used on.
 */
export interface DecoderSession extends Disposable {
  /**
   * Takes the encoder's output, computes cross-attention keys and values of it, and empties the cache.
   *
   * @param features F32 [n_audio_ctx, n_text_state].
   * @throws {SottoError} E_OPTION for another shape; E_MODEL_VALUES if one is NaN or infinite; E_ABORTED, there are no
   * features then until they are set again.
   */
  setFeatures(features: Float32Array<ArrayBuffer>, signal?: AbortSignal): Promise<void>;

  /**
   * Appends tokens to every sequence and computes logits.
   *
   * @param tokens Int32 [sequences, count]; every sequence gets `count` tokens from the same position on.
   * @param position How many tokens the sequences hold already; what lies behind is overwritten.
   * @param rows For which of the new tokens logits are wanted, each in 0…count−1; default the last alone.
   * @returns F32 [sequences, rows, n_vocab]; a new array.
   * @throws {SottoError} E_OPTION if a token is not in 0…n_vocab−1 or the context is full; E_ABORTED, the sequences hold
   * the tokens before `position` then.
   */
  step(
    tokens: Int32Array<ArrayBuffer>,
    sequences: number,
    position: number,
    rows?: readonly number[],
    signal?: AbortSignal,
  ): Promise<Float32Array<ArrayBuffer>>;

  /**
   * Finds how a text lies on the window: puts it through the decoder as sequence 0, which then holds it.
   *
   * @param tokens Int32 [tokens], 2…n_text_ctx of them: what comes before the text, the text, and its end.
   * @param heads Of the cross-attention, each at most once.
   * @throws {SottoError} E_OPTION if one of these is out of range; E_ABORTED, sequence 0 holds nothing then.
   */
  align(
    tokens: Int32Array<ArrayBuffer>,
    heads: readonly (readonly [layer: number, head: number])[],
    options: AlignmentOptions,
  ): Promise<TextAlignment>;

  /** Makes sequence i a copy of what was sequence `sources[i]` (beam search). */
  reorder(sources: readonly number[]): Promise<void>;

  /** Reads logits where the device is faster at it than TypeScript. */
  readonly logits?: LogitReader;
}

/**
 * The passes over a vocabulary that choosing a token takes, faster than in TypeScript. Both are over in microseconds, so
 * they are no promises.
 */
export interface LogitReader {
  /**
   * Finds the highest of a part of the logits; NaN and −Infinity are passed over.
   *
   * @param logits F32 [V].
   * @param part `from…to)`.
   * @param tokens Int32 [k], receives the ids of the k highest in falling order, of equals the lower first.
   * @returns How many there are.
   */
  best(
    logits: Float32Array<ArrayBuffer>,
    part: { readonly from: number; readonly to: number },
    tokens: Int32Array<ArrayBuffer>,
  ): number;
  /**
   * Σ exp(logit − highest) over a part, within 1e-6 of it; NaN and −Infinity add nothing.
   *
   * @param highest Finite, and no logit of the part above it.
   */
  sum(
    logits: Float32Array<ArrayBuffer>,
    part: { readonly from: number; readonly to: number },
    highest: number,
  ): number;
}

/** How a text is aligned. */
export interface AlignmentOptions {
  /** Tokens before the text, 1…tokens−1. */
  readonly start: number;
  /** Audio positions of the window that hold audio, 1…n_audio_ctx. */
  readonly positions: number;
  /** Probabilities are those among the ids 0…vocabulary−1. */
  readonly vocabulary: number;
  /** F32 [heads, tokens, n_audio_ctx] that receives q·k/√D of each head's cross-attention, before softmax. */
  readonly scores?: Float32Array<ArrayBuffer>;
  /** Ends the call. */
  readonly signal?: AbortSignal;
}

/** When the tokens of a text begin, and how likely they are. */
export interface TextAlignment {
  /** Int32 [tokens − start]: the audio position at which each token from `start` on begins; they never decrease. */
  readonly entries: Int32Array<ArrayBuffer>;
  /** F32 [tokens]: of each token after those before it; 0 for the first, and for ids outside the vocabulary. */
  readonly probabilities: Float32Array<ArrayBuffer>;
}

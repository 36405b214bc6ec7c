/**
 * The text decoder on CPU threads: one native call a token.
 *
 * @module
 */

import { SottoError } from "../../errors.ts";
import { type CpuDecoder, CpuSession, type SessionAdvance } from "../../ffi/cpu_decoder.ts";
import { SOTTO_ADVANCE_SESSIONS, SottoWeightFormat } from "../../ffi/cpu_symbols.ts";
import type { DecoderDimensions } from "../../model/dimensions.ts";
import type { StoredTensor } from "../../model/weights.ts";
import { checkAlignment } from "../check_alignment.ts";
import { requireFeatures } from "../decoder_features.ts";
import type {
  AlignmentOptions,
  DecoderPrecision,
  DecoderSession,
  LoadedDecoder,
  LogitReader,
  SessionStep,
  TextAlignment,
} from "../device.ts";

/** Most sequences that a session may hold (`sotto_cpu_session_create`). */
const MOST_HYPOTHESES = 32;

/** Dimensions in the order that `sotto_cpu_decoder_create` takes them. */
export function decoderWords(dims: DecoderDimensions): Int32Array<ArrayBuffer> {
  return Int32Array.of(
    dims.n_audio_ctx,
    dims.n_vocab,
    dims.n_text_ctx,
    dims.n_text_state,
    dims.n_text_head,
    dims.n_text_layer,
  );
}

/**
 * The format in which `sotto_cpu_decoder_create` keeps the weights.
 *
 * @throws {SottoError} E_OPTION for a precision there is not.
 */
export function weightFormat(precision: DecoderPrecision): number {
  const formats: Record<DecoderPrecision, number> = {
    stored: SottoWeightFormat.SOTTO_WEIGHTS_AS_STORED,
    int8: SottoWeightFormat.SOTTO_WEIGHTS_I8,
  };
  if (Object.hasOwn(formats, precision)) return formats[precision];
  throw new SottoError(
    "E_OPTION",
    `Cannot decode in "${precision}": a decoder's precision must be one of ${
      Object.keys(formats).join(", ")
    }`,
  );
}

/**
 * What the products of a decoder with these weights are computed in: as they are stored, matrices of F32 and BF16 are
 * kept in F32, all others in F16 (`sotto_cpu_decoder_create`).
 */
export function decoderArithmetic(
  tensors: readonly StoredTensor[],
  precision: DecoderPrecision,
  variant: string,
): string {
  if (precision === "int8") return `int8 weights, int16 activations, f32 sums (${variant})`;
  const matrices = tensors.filter(({ shape }) => shape.length === 2);
  const kept = new Set(matrices.map(({ dtype }) => dtype === "F32" || dtype === "BF16" ? "f32" : "f16"));
  return `${[...kept].sort().join(" and ")} weights, f32 sums (${variant})`;
}

/** A text decoder with its weights. */
export class CpuLoadedDecoder implements LoadedDecoder {
  readonly dims: DecoderDimensions;
  readonly arithmetic: string;
  readonly #decoder: CpuDecoder;

  /** Owns the native decoder from here on. */
  constructor(decoder: CpuDecoder, dims: DecoderDimensions, arithmetic: string) {
    this.#decoder = decoder;
    this.dims = dims;
    this.arithmetic = arithmetic;
  }

  /**
   * A session with room for `hypotheses` sequences.
   *
   * @throws {SottoError} E_OPTION if that is not 1…32; E_MEMORY.
   */
  open(hypotheses: number): DecoderSession {
    requireCount("hypotheses", hypotheses, 1, MOST_HYPOTHESES);
    return new CpuDecoderSession(this.#decoder.createSession(hypotheses), this.dims, hypotheses);
  }

  /** See {@linkcode LoadedDecoder.stepTogether}; at most 64 sessions. */
  async stepTogether(
    steps: readonly SessionStep[],
    signal?: AbortSignal,
  ): Promise<Float32Array<ArrayBuffer>[]> {
    requireCount("sessions", steps.length, 1, SOTTO_ADVANCE_SESSIONS);
    if (new Set(steps.map(({ session }) => session)).size < steps.length) {
      // Each call on a session waits for the one before: the step would wait for itself.
      throw new SottoError("E_OPTION", "Cannot decode: a session is named twice in a step");
    }
    return await stepSessions(
      steps.map(({ session, ...step }) => {
        if (session instanceof CpuDecoderSession) return session.advance(step);
        throw new SottoError("E_OPTION", "Cannot decode: a session of the step is not this decoder's");
      }),
      this.dims,
      signal,
    );
  }

  /** Frees the weights; sessions that are open keep them. */
  [Symbol.dispose](): void {
    this.#decoder[Symbol.dispose]();
  }
}

/** Token sequences over one window. */
class CpuDecoderSession implements DecoderSession {
  readonly logits: LogitReader;
  readonly #session: CpuSession;
  readonly #dims: DecoderDimensions;
  readonly #hypotheses: number;

  constructor(session: CpuSession, dims: DecoderDimensions, hypotheses: number) {
    this.#session = session;
    this.#dims = dims;
    this.#hypotheses = hypotheses;
    this.logits = {
      best: (logits, part, tokens) => session.bestLogits(logits, part, tokens),
      sum: (logits, part, highest) => session.sumLogits(logits, part, highest),
    };
  }

  async setFeatures(features: Float32Array<ArrayBuffer>, signal?: AbortSignal): Promise<void> {
    requireFeatures(features, this.#dims);
    await this.#session.setFeatures(features, signal);
  }

  async step(
    tokens: Int32Array<ArrayBuffer>,
    sequences: number,
    position: number,
    rows?: readonly number[],
    signal?: AbortSignal,
  ): Promise<Float32Array<ArrayBuffer>> {
    const advance = this.advance({ tokens, sequences, position, rows });
    const [logits] = await stepSessions([advance], this.#dims, signal);
    return logits;
  }

  /** A step's arguments, checked. */
  advance({ tokens, sequences, position, rows }: Omit<SessionStep, "session">): SessionAdvance {
    const { n_vocab, n_text_ctx } = this.#dims;
    requireCount("sequences", sequences, 1, this.#hypotheses);
    const count = tokens.length / sequences;
    requireCount("tokens per sequence", count, 1, n_text_ctx);
    requireCount("position", position, 0, n_text_ctx - count);
    for (const token of tokens) requireCount("token", token, 0, n_vocab - 1);
    for (const row of rows ?? []) requireCount("row", row, 0, count - 1);
    return {
      session: this.#session,
      tokens,
      sequences,
      position,
      rows: Int32Array.from(rows ?? [count - 1]),
    };
  }

  async align(
    tokens: Int32Array<ArrayBuffer>,
    heads: readonly (readonly [layer: number, head: number])[],
    options: AlignmentOptions,
  ): Promise<TextAlignment> {
    checkAlignment(this.#dims, { tokens, heads, options });
    const probabilities = new Float32Array(tokens.length);
    const entries = new Int32Array(tokens.length - options.start);
    await this.#session.align(tokens, Int32Array.from(heads.flat()), { ...options, probabilities, entries });
    return { entries, probabilities };
  }

  async reorder(sources: readonly number[]): Promise<void> {
    requireCount("sources", sources.length, 1, this.#hypotheses);
    for (const source of sources) requireCount("source", source, 0, this.#hypotheses - 1);
    await this.#session.reorder(Int32Array.from(sources));
  }

  [Symbol.dispose](): void {
    this.#session[Symbol.dispose]();
  }
}

/** Logits [sequences, rows, n_vocab] of each session; parts of one array. */
async function stepSessions(
  advances: readonly SessionAdvance[],
  { n_vocab }: DecoderDimensions,
  signal?: AbortSignal,
): Promise<Float32Array<ArrayBuffer>[]> {
  const lengths = advances.map(({ sequences, rows }) => sequences * rows.length * n_vocab);
  const logits = new Float32Array(lengths.reduce((sum, length) => sum + length, 0));
  await CpuSession.step(advances, logits, signal);
  let end = 0;
  return lengths.map((length) => logits.subarray(end, end += length));
}

function requireCount(what: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new SottoError(
    "E_OPTION",
    `Cannot decode: ${what} must be a whole number from ${least} to ${most}, got ${value}`,
  );
}

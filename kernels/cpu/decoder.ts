/**
 * The text decoder on CPU threads: one native call a token.
 *
 * @module
 */

import { SottoError } from "../../errors.ts";
import type { CpuDecoder, CpuSession } from "../../ffi/cpu_decoder.ts";
import { SottoWeightFormat } from "../../ffi/cpu_symbols.ts";
import type { DecoderDimensions } from "../../model/dimensions.ts";
import type { StoredTensor } from "../../model/weights.ts";
import { checkAlignment } from "../check_alignment.ts";
import type { DecoderPrecision, DecoderSession, LoadedDecoder, TextAlignment } from "../device.ts";

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

  /** Frees the weights; sessions that are open keep them. */
  [Symbol.dispose](): void {
    this.#decoder[Symbol.dispose]();
  }
}

/** Token sequences over one window. */
class CpuDecoderSession implements DecoderSession {
  readonly #session: CpuSession;
  readonly #dims: DecoderDimensions;
  readonly #hypotheses: number;

  constructor(session: CpuSession, dims: DecoderDimensions, hypotheses: number) {
    this.#session = session;
    this.#dims = dims;
    this.#hypotheses = hypotheses;
  }

  async setFeatures(features: Float32Array<ArrayBuffer>): Promise<void> {
    const { n_audio_ctx, n_text_state } = this.#dims;
    if (features.length !== n_audio_ctx * n_text_state) {
      throw new SottoError(
        "E_OPTION",
        `Cannot decode these features: need [${n_audio_ctx}, ${n_text_state}], got ${features.length} values`,
      );
    }
    await this.#session.setFeatures(features);
  }

  async step(
    tokens: Int32Array<ArrayBuffer>,
    sequences: number,
    position: number,
    rows?: readonly number[],
  ): Promise<Float32Array<ArrayBuffer>> {
    const { n_vocab, n_text_ctx } = this.#dims;
    requireCount("sequences", sequences, 1, this.#hypotheses);
    const count = tokens.length / sequences;
    requireCount("tokens per sequence", count, 1, n_text_ctx);
    requireCount("position", position, 0, n_text_ctx - count);
    for (const token of tokens) requireCount("token", token, 0, n_vocab - 1);
    const wanted = Int32Array.from(rows ?? [count - 1]);
    for (const row of rows ?? []) requireCount("row", row, 0, count - 1);
    const logits = new Float32Array(sequences * wanted.length * n_vocab);
    await this.#session.step({ tokens, sequences, position, rows: wanted }, logits);
    return logits;
  }

  async align(
    tokens: Int32Array<ArrayBuffer>,
    heads: readonly (readonly [layer: number, head: number])[],
    vocabulary: number,
  ): Promise<TextAlignment> {
    checkAlignment(this.#dims, { tokens, heads, vocabulary });
    const scores = new Float32Array(heads.length * tokens.length * this.#dims.n_audio_ctx);
    const probabilities = new Float32Array(tokens.length);
    await this.#session.align(tokens, Int32Array.from(heads.flat()), vocabulary, { scores, probabilities });
    return { scores, probabilities };
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

function requireCount(what: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new SottoError(
    "E_OPTION",
    `Cannot decode: ${what} must be a whole number from ${least} to ${most}, got ${value}`,
  );
}

/**
 * The text decoder of libsotto_cpu and its sessions.
 *
 * @module
 */

import { type CpuSymbols, destroyWith } from "./cpu_functions.ts";
import { cancellable } from "./cancellable.ts";
import { check, sized } from "./native_call.ts";
import { NativeHandle } from "./native_handle.ts";

/** A text decoder's weights, read in place or packed. */
export class CpuDecoder extends NativeHandle {
  readonly #symbols: CpuSymbols;

  /** @param handle As `sotto_cpu_decoder_create` gave it. */
  constructor(symbols: CpuSymbols, handle: bigint) {
    super("text decoder", handle, destroyWith(symbols));
    this.#symbols = symbols;
  }

  /**
   * Reserves key and value caches.
   *
   * @param hypotheses 1…32.
   * @throws {SottoError} E_MEMORY.
   */
  createSession(hypotheses: number): CpuSession {
    const session = new BigUint64Array(1);
    const symbol = "sotto_cpu_session_create";
    check(
      symbol,
      (error) => this.#symbols[symbol](this.handle, hypotheses, session, ...error),
    );
    return new CpuSession(this.#symbols, session[0]);
  }
}

/** Tokens that a step appends to the sequences of a session. */
export interface SessionAdvance {
  readonly session: CpuSession;
  /** [sequences, count]. */
  readonly tokens: Int32Array<ArrayBuffer>;
  readonly sequences: number;
  /** Tokens that the sequences hold already. */
  readonly position: number;
  /** Which of the new tokens to compute logits for. */
  readonly rows: Int32Array<ArrayBuffer>;
}

/** How a text is aligned, and where what is found goes. */
export interface SessionAlignment {
  /** Tokens before the text. */
  readonly start: number;
  /** Audio positions that hold audio. */
  readonly positions: number;
  /** Probabilities are those among the ids below it. */
  readonly vocabulary: number;
  /** [heads, tokens, n_audio_ctx]; default: not wanted. */
  readonly scores?: Float32Array<ArrayBuffer>;
  /** [tokens]. */
  readonly probabilities: Float32Array<ArrayBuffer>;
  /** [tokens − start]. */
  readonly entries: Int32Array<ArrayBuffer>;
  readonly signal?: AbortSignal;
}

/** What is left out. */
const NONE = new Float32Array(0);

/** Key and value caches over one window. Calls queue. */
export class CpuSession extends NativeHandle {
  readonly #symbols: CpuSymbols;
  /** What reading logits answers with, one of each. */
  readonly #count = new Int32Array(1);
  readonly #sum = new Float64Array(1);

  /** @param handle As `sotto_cpu_session_create` gave it. */
  constructor(symbols: CpuSymbols, handle: bigint) {
    super("decoding session", handle, destroyWith(symbols), 1);
    this.#symbols = symbols;
  }

  /**
   * Computes cross-attention keys and values of features [n_audio_ctx, n_text_state].
   *
   * @throws {SottoError} E_ABORTED soon after the signal is aborted; features must be set again then.
   */
  async setFeatures(features: Float32Array<ArrayBuffer>, signal?: AbortSignal): Promise<void> {
    const symbol = "sotto_cpu_session_set_features";
    await cancellable(signal, 1, (cancel) =>
      this.call(
        symbol,
        (session, error) => this.#symbols[symbol](session, ...sized(features), ...sized(cancel), ...error),
        signal,
      ));
  }

  /**
   * Appends tokens to several sessions of one decoder in one reading of its weights.
   *
   * @param advances Of 1…64 sessions, each once.
   * @param logits [sequences, rows, n_vocab] of each, one behind the other, receives what follows the tokens.
   * @throws {SottoError} E_ABORTED soon after the signal is aborted; sequences then hold the tokens before `position`.
   */
  static async step(
    advances: readonly SessionAdvance[],
    logits: Float32Array<ArrayBuffer>,
    signal?: AbortSignal,
  ): Promise<void> {
    const shapes = Int32Array.from(
      advances.flatMap(({ sequences, tokens, position, rows }) => [
        sequences,
        tokens.length / sequences,
        position,
        rows.length,
      ]),
    );
    const tokens = joined(advances.map(({ tokens }) => tokens));
    const rows = joined(advances.map(({ rows }) => rows));
    const sessions = advances.map(({ session }) => session);
    const symbol = "sotto_cpu_sessions_step";
    const symbols = sessions[0].#symbols;
    await cancellable(
      signal,
      1,
      (cancel) =>
        NativeHandle.callTogether(sessions, symbol, (handles, error) =>
          symbols[symbol](
            ...sized(handles),
            ...sized(shapes),
            ...sized(tokens),
            ...sized(rows),
            ...sized(logits),
            ...sized(cancel),
            ...error,
          ), signal),
    );
  }

  /**
   * Puts a text through the decoder as sequence 0.
   *
   * @param heads [heads, 2], layer and head of each.
   * @throws {SottoError} E_ABORTED soon after the signal is aborted; sequence 0 then holds nothing.
   */
  async align(
    tokens: Int32Array<ArrayBuffer>,
    heads: Int32Array<ArrayBuffer>,
    { start, positions, vocabulary, scores = NONE, probabilities, entries, signal }: SessionAlignment,
  ): Promise<void> {
    const symbol = "sotto_cpu_session_align";
    await cancellable(signal, 1, (cancel) =>
      this.call(symbol, (session, error) =>
        this.#symbols[symbol](
          session,
          ...sized(tokens),
          ...sized(heads),
          vocabulary,
          start,
          positions,
          ...sized(scores),
          ...sized(probabilities),
          ...sized(entries),
          ...sized(cancel),
          ...error,
        ), signal));
  }

  /**
   * Finds the highest of logits `from…to)`: their ids into `tokens`, in falling order, of equals the lower first. NaN and
   * −Infinity are passed over.
   *
   * @returns How many there are.
   */
  bestLogits(
    logits: Float32Array<ArrayBuffer>,
    { from, to }: { readonly from: number; readonly to: number },
    tokens: Int32Array<ArrayBuffer>,
  ): number {
    const symbol = "sotto_cpu_session_best_logits";
    check(symbol, (error) =>
      this.#symbols[symbol](
        this.handle,
        ...sized(logits),
        from,
        to,
        ...sized(tokens),
        ...sized(this.#count),
        ...error,
      ));
    return this.#count[0];
  }

  /** Σ exp(logit − highest) over logits `from…to)`, none of which is above `highest`. */
  sumLogits(
    logits: Float32Array<ArrayBuffer>,
    { from, to }: { readonly from: number; readonly to: number },
    highest: number,
  ): number {
    const symbol = "sotto_cpu_session_sum_logits";
    check(symbol, (error) =>
      this.#symbols[symbol](
        this.handle,
        ...sized(logits),
        from,
        to,
        highest,
        ...sized(this.#sum),
        ...error,
      ));
    return this.#sum[0];
  }

  /** Makes sequence i a copy of what was sequence `sources[i]`. */
  async reorder(sources: Int32Array<ArrayBuffer>): Promise<void> {
    const symbol = "sotto_cpu_session_reorder";
    await this.call(
      symbol,
      (session, error) => this.#symbols[symbol](session, ...sized(sources), ...error),
    );
  }
}

/** Arrays put end to end. */
function joined(arrays: readonly Int32Array<ArrayBuffer>[]): Int32Array<ArrayBuffer> {
  if (arrays.length === 1) return arrays[0];
  const all = new Int32Array(arrays.reduce((length, array) => length + array.length, 0));
  let at = 0;
  for (const array of arrays) {
    all.set(array, at);
    at += array.length;
  }
  return all;
}

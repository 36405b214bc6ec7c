/**
 * Writes the tokens of one window one after the other, never going back.
 *
 * @module
 */

import { SottoError } from "../errors.ts";
import type { DecoderSession } from "../kernels/device.ts";
import type { LogitFilter } from "./logit_filters.ts";
import { probabilityOf, type TokenChooser } from "./token_choice.ts";

/** What a run of the loop depends on. */
export interface GreedyTask {
  /** The prompt: previous text, start sequence, prefix. */
  readonly initial: readonly number[];
  /** Where `<|startoftranscript|>` stands in it. */
  readonly startIndex: number;
  /** Ends the text. */
  readonly eot: number;
  /** Its probability at the start is that of no speech; null: unknown. */
  readonly noSpeech: number | null;
  /** Most tokens to write. */
  readonly sampleLen: number;
  /** Longest sequence of the model: n_text_ctx. */
  readonly contextLength: number;
  /** Applied in order before each choice. */
  readonly filters: readonly LogitFilter[];
  /** Takes a token out of the filtered logits. */
  readonly choose: TokenChooser;
  /** Stops the loop between two tokens. */
  readonly signal?: AbortSignal;
}

/** What the loop wrote. */
export interface GreedyResult {
  /** Tokens up to the end, which is not among them. */
  readonly tokens: number[];
  /** Sum of the log-probabilities of all tokens, the end included. */
  readonly sumLogprob: number;
  /** NaN where the vocabulary has no such token. */
  readonly noSpeechProb: number;
}

/**
 * Runs the loop on a session whose features are set.
 *
 * @throws {SottoError} E_ABORTED if the signal says so, between two tokens.
 */
export async function decodeGreedily(session: DecoderSession, task: GreedyTask): Promise<GreedyResult> {
  const { initial, filters, eot } = task;
  const tokens: number[] = [];
  let sumLogprob = 0;
  let noSpeechProb = NaN;
  while (tokens.length < task.sampleLen) {
    throwIfAborted(task.signal);
    const first = tokens.length === 0;
    const given = first ? initial : tokens.slice(-1);
    const position = first ? 0 : initial.length + tokens.length - 1;
    const last = given.length - 1;
    const rows = first && task.startIndex !== last ? [task.startIndex, last] : [last];
    const all = await session.step(Int32Array.from(given), 1, position, rows);
    const V = all.length / rows.length;
    if (first && task.noSpeech !== null) noSpeechProb = probabilityOf(task.noSpeech, all.subarray(0, V));
    const logits = all.subarray(all.length - V);
    for (const filter of filters) filter.apply(logits, tokens);
    const { token, logprob } = task.choose(logits);
    sumLogprob += logprob;
    if (token === eot) break;
    tokens.push(token);
    // The model has no position for another one; openai-whisper keeps this last token all the same.
    if (initial.length + tokens.length > task.contextLength) break;
  }
  return { tokens, sumLogprob, noSpeechProb };
}

/** Throws E_ABORTED if the signal has aborted. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) {
    throw new SottoError("E_ABORTED", "Stopped: the caller aborted", { cause: signal.reason });
  }
}

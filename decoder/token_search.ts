/**
 * The loop that writes the tokens of a window. How many texts are written side by side, and which tokens continue
 * them, is up to a {@linkcode TokenSearch}.
 *
 * @module
 */

import { throwIfAborted } from "../abort.ts";
import type { DecoderSession } from "../kernels/device.ts";
import type { Hypothesis } from "./hypothesis.ts";
import type { LogitFilter } from "./logit_filters.ts";
import { LogitRow } from "./logit_row.ts";

export { throwIfAborted };

/** How texts are continued. The session's sequence i holds the i-th text in progress. */
export interface TokenSearch {
  /** How many of the highest logits {@linkcode TokenSearch.offer} looks at. */
  readonly candidates: number;
  /** Texts in progress; a single empty one at the start. */
  readonly inProgress: readonly Hypothesis[];
  /** Is shown the logits after text `index`, rules applied. */
  offer(index: number, row: LogitRow): void;
  /** Continues the texts once every one has been offered its logits; without tokens the search is over. */
  advance(): Continuation;
  /** All texts to choose from: the finished, and those in progress where it takes them. */
  finish(): readonly Hypothesis[];
}

/** Texts in progress after a step. */
export interface Continuation {
  /** The last token of each. */
  readonly tokens: readonly number[];
  /** Which text of the step before each continues. */
  readonly sources: readonly number[];
}

/** What a run of the loop depends on. */
export interface SearchTask {
  /** The prompt: previous text, start sequence, prefix. */
  readonly initial: readonly number[];
  /** Where `<|startoftranscript|>` stands in it. */
  readonly startIndex: number;
  /** Its probability at the start is that of no speech; null: unknown. */
  readonly noSpeech: number | null;
  /** The first time's id. */
  readonly timestampBegin: number;
  /** Most tokens to write. */
  readonly sampleLen: number;
  /** Longest sequence of the model: n_text_ctx. */
  readonly contextLength: number;
  /** Applied in order before each choice. */
  readonly filters: readonly LogitFilter[];
  /** Stops the loop, a step included. */
  readonly signal?: AbortSignal;
}

/** What the loop wrote. */
export interface SearchResult {
  /** At least one. */
  readonly hypotheses: readonly Hypothesis[];
  /** NaN where the vocabulary has no such token. */
  readonly noSpeechProb: number;
}

/**
 * Runs the loop on a session whose features are set. The prompt is read once, however many texts follow it.
 *
 * @throws {SottoError} E_ABORTED if the signal says so.
 */
export async function searchTokens(
  session: DecoderSession,
  search: TokenSearch,
  task: SearchTask,
): Promise<SearchResult> {
  const { initial, startIndex, timestampBegin } = task;
  throwIfAborted(task.signal);
  const last = initial.length - 1;
  const rows = startIndex === last ? [last] : [startIndex, last];
  const first = await session.step(Int32Array.from(initial), 1, 0, rows, task.signal);
  const V = first.length / rows.length;
  const reading = { most: search.candidates, logits: session.logits };
  const noSpeechProb = task.noSpeech === null
    ? NaN
    : probabilityOf(task.noSpeech, new LogitRow(first.subarray(0, V), timestampBegin, reading));

  let logits = first.subarray(first.length - V);
  const row = new LogitRow(logits, timestampBegin, reading);
  for (let written = 1;; written++) {
    search.inProgress.forEach(({ tokens }, i) => {
      row.take(logits.subarray(i * V, (i + 1) * V));
      for (const filter of task.filters) filter.apply(row, tokens);
      search.offer(i, row);
    });
    const { tokens, sources } = search.advance();
    if (tokens.length === 0 || written >= task.sampleLen) break;
    // The model has no position for another one; openai-whisper keeps this last token all the same.
    if (initial.length + written > task.contextLength) break;
    throwIfAborted(task.signal);
    if (sources.some((source, i) => source !== i)) await session.reorder(sources);
    const position = initial.length + written - 1;
    logits = await session.step(Int32Array.from(tokens), tokens.length, position, [0], task.signal);
  }
  return { hypotheses: search.finish(), noSpeechProb };
}

/** Probability of one token under logits that no rule has touched. */
function probabilityOf(token: number, row: LogitRow): number {
  return Math.exp(row.at(token) - row.logSum());
}

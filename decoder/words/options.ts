/**
 * What a caller may ask of word times: checked and completed.
 *
 * @module
 */

import { SottoError } from "../../errors.ts";
import type { RunControls, Task, TranscribeOptions } from "../options.ts";
import type { Tokenizer } from "../tokenizer.ts";
import { APPEND_PUNCTUATIONS, PREPEND_PUNCTUATIONS } from "./punctuation.ts";
import type { WordOptions } from "./word_timer.ts";

const isText = (value: unknown): boolean => typeof value === "string";

/** What each option of word times must be, in words, and whether a value is that. */
export const WORD_RULES = {
  wordTimestamps: { must: "true or false", holds: (value: unknown): boolean => typeof value === "boolean" },
  prependPunctuations: { must: "a text", holds: isText },
  appendPunctuations: { must: "a text", holds: isText },
  hallucinationSilenceThreshold: {
    must: "seconds of 0 or more, or null",
    holds: (value: unknown): boolean => value === null || (typeof value === "number" && value >= 0),
  },
} as const;

/** The options that are asked about. */
export type WordRequest = Pick<TranscribeOptions, keyof typeof WORD_RULES>;

/** Throws E_OPTION if an option needs word times and none are wanted. */
export function checkWordOptions({ wordTimestamps, hallucinationSilenceThreshold }: WordRequest): void {
  if (wordTimestamps || typeof hallucinationSilenceThreshold !== "number") return;
  throw new SottoError(
    "E_OPTION",
    "Cannot use the options: hallucinationSilenceThreshold needs word times, and wordTimestamps is not true",
  );
}

/**
 * Completes options that passed {@linkcode checkWordOptions}.
 *
 * @param model Its vocabulary, n_text_ctx, and the most tokens of a window's text.
 * @returns null where no word times are wanted.
 * @throws {SottoError} E_OPTION if a window's longest text could not be aligned.
 */
export function resolveWordOptions(
  options: WordRequest,
  { tokenizer, contextLength, sampleLen }: {
    readonly tokenizer: Tokenizer;
    readonly contextLength: number;
    readonly sampleLen: number;
  },
): WordOptions | null {
  if (!options.wordTimestamps) return null;
  // The text is aligned between its start (language and task only where the model knows several) and its end.
  const room = contextLength - (tokenizer.multilingual ? 3 : 1) - 2;
  if (sampleLen > room) {
    throw new SottoError(
      "E_OPTION",
      `Cannot use the options: with word times, sampleLen must be at most ${room}; got ${sampleLen}`,
    );
  }
  return {
    prependPunctuations: options.prependPunctuations ?? PREPEND_PUNCTUATIONS,
    appendPunctuations: options.appendPunctuations ?? APPEND_PUNCTUATIONS,
    hallucinationSilenceThreshold: options.hallucinationSilenceThreshold ?? null,
  };
}

/** Says that words of a translation have no times of their own in the audio. */
export function warnOfTranslatedWords(
  { words, task }: { readonly words: WordOptions | null; readonly task: Task },
  { onWarning }: RunControls,
): void {
  if (words === null || task !== "translate") return;
  onWarning?.({ code: "W_OPTION", message: "Times of words are not reliable in a translation" });
}

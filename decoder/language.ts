/**
 * Which language is spoken, by what the decoder would write after `<|startoftranscript|>`.
 *
 * @module
 */

import { SottoError } from "../errors.ts";
import type { DecoderSession } from "../kernels/device.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** The outcome of language detection. */
export interface LanguageDetection {
  /** Code of the likeliest language. */
  readonly language: string;
  /** Probability by code, in the order of the tokens; they sum to 1. */
  readonly probabilities: Readonly<Record<string, number>>;
}

/**
 * Detects the language of the window whose features are set on the session. Empties the session's cache.
 *
 * @throws {SottoError} E_OPTION for an English-only model; E_ABORTED.
 */
export async function detectLanguageOn(
  session: DecoderSession,
  tokenizer: Tokenizer,
  signal?: AbortSignal,
): Promise<LanguageDetection> {
  const { sot, languages } = tokenizer.special;
  if (!tokenizer.multilingual || languages.size === 0) {
    throw new SottoError(
      "E_OPTION",
      "Cannot detect the language: the model must know several, this one is English-only",
    );
  }
  const logits = await session.step(Int32Array.of(sot), 1, 0, [0], signal);
  const codes = [...languages.keys()];
  const scores = codes.map((code) => logits[languages.get(code)!]);
  const highest = Math.max(...scores);
  const weights = scores.map((score) => Math.exp(score - highest));
  const sum = weights.reduce((a, b) => a + b);
  return {
    language: codes[scores.indexOf(highest)],
    probabilities: Object.fromEntries(codes.map((code, i) => [code, weights[i] / sum])),
  };
}

/**
 * The tokens that are not text: found by name where the vocabulary lists them, by OpenAI's order where it
 * does not.
 *
 * @module
 */

import { SottoError } from "../errors.ts";
import { LANGUAGE_CODES } from "./languages.ts";

/** Timestamps run from 0 to 30 s in steps of 20 ms. */
export const TIMESTAMP_TOKENS = 1501;

/** Seconds between two timestamp tokens. */
export const TIMESTAMP_STEP = 30 / (TIMESTAMP_TOKENS - 1);

/** Ids of a vocabulary's special tokens. */
export interface SpecialTokens {
  /** `<|endoftext|>`: all ids below it are regular tokens. */
  readonly eot: number;
  /** `<|startoftranscript|>` */
  readonly sot: number;
  /** `<|startoflm|>`, or null. */
  readonly startOfLm: number | null;
  /** `<|startofprev|>`: precedes the previous text. */
  readonly prev: number;
  /** `<|nospeech|>` (`<|nocaptions|>` in older files), or null. */
  readonly noSpeech: number | null;
  /** `<|notimestamps|>` */
  readonly noTimestamps: number;
  /** `<|0.00|>`: the first of {@linkcode TIMESTAMP_TOKENS}, the last ids of the vocabulary. */
  readonly timestampBegin: number;
  /** `<|transcribe|>` */
  readonly transcribe: number;
  /** `<|translate|>` */
  readonly translate: number;
  /** Language tokens by code, in the order of their ids. */
  readonly languages: ReadonlyMap<string, number>;
}

/** The spelling of the n-th timestamp token: `<|0.00|>` … `<|30.00|>`. */
export function timestampName(index: number): string {
  return `<|${(index * TIMESTAMP_STEP).toFixed(2)}|>`;
}

/**
 * The names of all special tokens of an OpenAI vocabulary in the order of their ids, from `<|endoftext|>` on.
 *
 * @throws {SottoError} E_TOKENIZER if there are more languages than Whisper has.
 */
export function openaiSpecialNames(languages: number): string[] {
  if (languages < 0 || languages > LANGUAGE_CODES.length) {
    throw new SottoError(
      "E_TOKENIZER",
      `Cannot number the special tokens: a vocabulary has 0…${LANGUAGE_CODES.length} languages, this one ${languages}`,
      { hint: "The vocabulary and the model do not belong together." },
    );
  }
  return [
    "<|endoftext|>",
    "<|startoftranscript|>",
    ...LANGUAGE_CODES.slice(0, languages).map((code) => `<|${code}|>`),
    "<|translate|>",
    "<|transcribe|>",
    "<|startoflm|>",
    "<|startofprev|>",
    "<|nospeech|>",
    "<|notimestamps|>",
    ...Array.from({ length: TIMESTAMP_TOKENS }, (_, i) => timestampName(i)),
  ];
}

/** Special tokens of an OpenAI vocabulary that are neither languages nor timestamps. */
const OTHERS = 8;

/** How many language tokens an OpenAI vocabulary of `vocabulary` ids has, `regular` of which are text. */
export function openaiLanguageCount(vocabulary: number, regular: number): number {
  return vocabulary - regular - OTHERS - TIMESTAMP_TOKENS;
}

/** Whether a name is spelled as special tokens are. */
export function isSpecialName(name: string): boolean {
  return /^<\|[^|]+\|>$/.test(name);
}

/**
 * Finds the special tokens among the names of a vocabulary.
 *
 * @param ids Id by name, for every name spelled `<|…|>`.
 * @throws {SottoError} E_TOKENIZER if one is missing that decoding cannot do without.
 */
export function findSpecialTokens(ids: ReadonlyMap<string, number>): SpecialTokens {
  const need = (name: string): number => {
    const id = ids.get(name);
    if (id === undefined) {
      throw new SottoError(
        "E_TOKENIZER",
        `Cannot use this vocabulary: it needs a token ${name}, and has none`,
        {
          hint: "Take the tokenizer files that belong to the model.",
        },
      );
    }
    return id;
  };
  const languages = LANGUAGE_CODES
    .map((code) => [code, ids.get(`<|${code}|>`)] as const)
    .filter((entry): entry is readonly [string, number] => entry[1] !== undefined)
    .sort((a, b) => a[1] - b[1]);
  return {
    eot: need("<|endoftext|>"),
    sot: need("<|startoftranscript|>"),
    startOfLm: ids.get("<|startoflm|>") ?? null,
    prev: need("<|startofprev|>"),
    noSpeech: ids.get("<|nospeech|>") ?? ids.get("<|nocaptions|>") ?? null,
    noTimestamps: need("<|notimestamps|>"),
    timestampBegin: need(timestampName(0)),
    transcribe: need("<|transcribe|>"),
    translate: need("<|translate|>"),
    languages: new Map(languages),
  };
}

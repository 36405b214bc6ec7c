/**
 * What a caller may ask of the decoder, under openai-whisper's names in camel case, with its defaults.
 * Checked here and nowhere else.
 *
 * @module
 */

import { SottoError, type Warning } from "../errors.ts";
import { didYouMean } from "../nearest.ts";
import { LANGUAGE_SPELLINGS, languageCode, LANGUAGES } from "./languages.ts";
import type { Tokenizer } from "./tokenizer.ts";
import { strip } from "./whitespace.ts";

/** `transcribe`: write what was said; `translate`: write it in English. */
export type Task = "transcribe" | "translate";

/** Options of decoding one window. */
export interface DecodeOptions {
  /** Default `transcribe`. */
  readonly task?: Task;
  /** Code or English name of the spoken language; null (default): detect it. English-only models know `en` alone. */
  readonly language?: string | null;
  /** 0 (default): the most probable token always; above: drawn with probability ∝ p^(1/temperature). */
  readonly temperature?: number;
  /** Where the random numbers of a temperature above 0 start, an integer; default 0. Equal seeds give equal texts. */
  readonly seed?: number;
  /** Most tokens to write for a window; default half the context, 224. */
  readonly sampleLen?: number;
  /** Text (or tokens) that precedes the window; the last n_text_ctx / 2 − 1 tokens count. */
  readonly prompt?: string | readonly number[] | null;
  /** Text (or tokens) that the window's transcript is made to begin with; not part of the result. */
  readonly prefix?: string | readonly number[] | null;
  /** Ids never to write, as a list or separated by commas; −1 stands for all non-speech tokens. Default "-1"; "" or null: none. */
  readonly suppressTokens?: string | readonly number[] | null;
  /** Do not begin with a space or with nothing; default true. */
  readonly suppressBlank?: boolean;
  /** Write text only, no times; default false. */
  readonly withoutTimestamps?: boolean;
  /** Latest start of the first segment in seconds after the window's; default 1. 0 or null: anywhere. */
  readonly maxInitialTimestamp?: number | null;
}

/** Options of transcribing a whole recording. */
export interface TranscribeOptions extends Omit<DecodeOptions, "prompt"> {
  /** Text before the first window: names and words to expect. */
  readonly initialPrompt?: string | null;
  /** Put the initial prompt before every window, not only the first; default false. */
  readonly carryInitialPrompt?: boolean;
  /** Show each window the text of those before it; default true. */
  readonly conditionOnPreviousText?: boolean;
  /** Skip a window whose no-speech probability is higher; default 0.6, null: never. */
  readonly noSpeechThreshold?: number | null;
  /** … unless its average log-probability is above this; default −1, null: skip all the same. */
  readonly logprobThreshold?: number | null;
}

/** What goes along with a run and does not change its result. */
export interface RunControls {
  /** Stops the work between two tokens; it then throws E_ABORTED. */
  readonly signal?: AbortSignal;
  /** Ends the work after the window in progress; what is there by then is the result. */
  readonly stop?: AbortSignal;
  /** Called after each window. */
  readonly onProgress?: (progress: Progress) => void;
  /** Called for what the user should know although the work goes on. */
  readonly onWarning?: (warning: Warning) => void;
}

/** How far a recording is. A frame is 10 ms. */
export interface Progress {
  /** Frames whose text is written. */
  readonly framesDone: number;
  /** Frames of the recording. */
  readonly framesTotal: number;
}

/** {@linkcode DecodeOptions} checked and complete. */
export interface ResolvedDecodeOptions {
  /** What to write. */
  readonly task: Task;
  /** Code, or null: detect. */
  readonly language: string | null;
  /** 0…1. */
  readonly temperature: number;
  /** An integer. */
  readonly seed: number;
  /** Most tokens to write. */
  readonly sampleLen: number;
  /** Tokens, whole. */
  readonly prompt: readonly number[];
  /** Tokens, whole. */
  readonly prefix: readonly number[];
  /** Ids, ascending and unique; empty: suppress nothing. */
  readonly suppressTokens: readonly number[];
  /** Begin neither with a space nor with nothing. */
  readonly suppressBlank: boolean;
  /** Write no times. */
  readonly withoutTimestamps: boolean;
  /** Seconds, or null: anywhere. */
  readonly maxInitialTimestamp: number | null;
}

/** {@linkcode TranscribeOptions} checked and complete. */
export interface ResolvedTranscribeOptions extends Omit<ResolvedDecodeOptions, "prompt"> {
  /** Tokens of the initial prompt. */
  readonly initialPrompt: readonly number[];
  /** Put the initial prompt before every window. */
  readonly carryInitialPrompt: boolean;
  /** Show each window the text before it. */
  readonly conditionOnPreviousText: boolean;
  /** A probability, or null: skip no window. */
  readonly noSpeechThreshold: number | null;
  /** A log-probability, or null. */
  readonly logprobThreshold: number | null;
}

/** A rule for one option: what it must be, in words, and whether a value is that. */
interface Rule {
  readonly must: string;
  readonly holds: (value: unknown) => boolean;
}

const number = (must: string, holds: (value: number) => boolean): Rule => ({
  must,
  holds: (value) => typeof value === "number" && holds(value),
});
const orNull = (rule: Rule): Rule => ({
  must: `${rule.must}, or null`,
  holds: (value) => value === null || rule.holds(value),
});
const BOOLEAN: Rule = { must: "true or false", holds: (value) => typeof value === "boolean" };
const TEXT: Rule = { must: "a text", holds: (value) => typeof value === "string" };
const isId = (value: unknown): boolean => typeof value === "number" && Number.isInteger(value) && value >= 0;
const TEXT_OR_TOKENS: Rule = {
  must: "a text or a list of token ids",
  holds: (value) => typeof value === "string" || (Array.isArray(value) && value.every(isId)),
};
const SUPPRESS: Rule = {
  must: "a list of token ids, or such a list separated by commas; -1 stands for all non-speech tokens",
  holds: (value) =>
    typeof value === "string"
      ? /^\s*((-1|\d+)\s*(,\s*(-1|\d+)\s*)*)?$/.test(value)
      : Array.isArray(value) && value.every((id) => id === -1 || isId(id)),
};

const SHARED_RULES: Readonly<Record<string, Rule>> = {
  task: {
    must: "transcribe or translate",
    holds: (value) => value === "transcribe" || value === "translate",
  },
  language: orNull(TEXT),
  // Above 1 the distribution is flatter than the model's own; openai-whisper does not go there either.
  temperature: number(
    "a number of 0…1 (a list of them is not supported)",
    (value) => value >= 0 && value <= 1,
  ),
  seed: number("an integer", (value) => Number.isSafeInteger(value)),
  sampleLen: number("a positive integer", (value) => Number.isInteger(value) && value > 0),
  prefix: orNull(TEXT_OR_TOKENS),
  suppressTokens: orNull(SUPPRESS),
  suppressBlank: BOOLEAN,
  withoutTimestamps: BOOLEAN,
  maxInitialTimestamp: orNull(number("seconds of 0…30", (value) => value >= 0 && value <= 30)),
};

const DECODE_RULES: Readonly<Record<string, Rule>> = { ...SHARED_RULES, prompt: orNull(TEXT_OR_TOKENS) };

const TRANSCRIBE_RULES: Readonly<Record<string, Rule>> = {
  ...SHARED_RULES,
  initialPrompt: orNull(TEXT),
  carryInitialPrompt: BOOLEAN,
  conditionOnPreviousText: BOOLEAN,
  noSpeechThreshold: orNull(number("a probability of 0…1", (value) => value >= 0 && value <= 1)),
  logprobThreshold: orNull(number("a number, usually negative", (value) => !Number.isNaN(value))),
};

const CONTROLS: readonly string[] = ["signal", "stop", "onProgress", "onWarning"];

function shown(value: unknown): string {
  if (typeof value === "function") return "a function";
  return value === undefined ? "undefined" : JSON.stringify(value);
}

function check(options: object, rules: Readonly<Record<string, Rule>>): void {
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || CONTROLS.includes(name)) continue;
    if (!Object.hasOwn(rules, name)) {
      throw new SottoError("E_OPTION", `Cannot use the options: ${name} is not one of them`, {
        hint: didYouMean(name, Object.keys(rules)) || `There are ${Object.keys(rules).join(", ")}.`,
      });
    }
    if (!rules[name].holds(value)) {
      throw new SottoError(
        "E_OPTION",
        `Cannot use the options: ${name} must be ${rules[name].must}; got ${shown(value)}`,
      );
    }
  }
}

/**
 * The code of a language given as code or English name.
 *
 * @throws {SottoError} E_OPTION if there is no such language, with the nearest one as a hint.
 */
export function parseLanguage(language: string): string {
  const code = languageCode(language);
  if (code !== undefined) return code;
  throw new SottoError(
    "E_OPTION",
    `Cannot use the options: language must be a language of Whisper's; got ${shown(language)}`,
    {
      hint: didYouMean(language, LANGUAGE_SPELLINGS) || "Give its code, such as en, or its English name.",
    },
  );
}

/** Checks what can be checked before a model is there. Throws E_OPTION for the first rule broken. */
export function checkTranscribeOptions(options: TranscribeOptions & RunControls): void {
  check(options, TRANSCRIBE_RULES);
  if (typeof options.language === "string") parseLanguage(options.language);
}

/** The language to decode in, for a model that may not know it. */
function resolveLanguage(language: string | null | undefined, tokenizer: Tokenizer): string | null {
  const code = typeof language === "string" ? parseLanguage(language) : null;
  if (!tokenizer.multilingual) {
    if (code === null || code === "en") return "en";
    throw new SottoError(
      "E_OPTION",
      `Cannot use the options: language must be en for an English-only model; got ${code} (${
        LANGUAGES[code]
      })`,
      {
        hint: "Take the multilingual model: its name has no .en at the end.",
      },
    );
  }
  if (code !== null && !tokenizer.special.languages.has(code)) {
    const known = [...tokenizer.special.languages.keys()];
    throw new SottoError(
      "E_OPTION",
      `Cannot use the options: language must be one that this model knows; got ${code} (${LANGUAGES[code]})`,
      {
        hint: `It knows ${known.slice(0, 10).join(", ")}${
          known.length > 10 ? ` and ${known.length - 10} more` : ""
        }.`,
      },
    );
  }
  return code;
}

function resolveTask(task: Task | undefined, tokenizer: Tokenizer): Task {
  if (task === "translate" && !tokenizer.multilingual) {
    throw new SottoError(
      "E_OPTION",
      "Cannot use the options: task must be transcribe for an English-only model; got translate",
      {
        hint: "Take the multilingual model: its name has no .en at the end.",
      },
    );
  }
  return task ?? "transcribe";
}

/** Text is encoded with one space before it, as the tokens of running text are. */
function resolveTokens(
  name: string,
  given: string | readonly number[] | null | undefined,
  tokenizer: Tokenizer,
): number[] {
  if (typeof given === "string") return given === "" ? [] : tokenizer.encode(` ${strip(given)}`);
  return checkedIds(name, given ?? [], tokenizer);
}

function checkedIds(name: string, ids: readonly number[], tokenizer: Tokenizer): number[] {
  const outside = ids.find((id) => id >= tokenizer.vocabularySize);
  if (outside !== undefined) {
    throw new SottoError(
      "E_OPTION",
      `Cannot use the options: ${name} must be ids of 0…${tokenizer.vocabularySize - 1}; got ${outside}`,
    );
  }
  return [...ids];
}

/**
 * All ids to suppress. The tokens that only prompts hold are among them as soon as any are (as in
 * openai-whisper: an empty list suppresses nothing at all).
 */
function resolveSuppressed(
  given: string | readonly number[] | null | undefined,
  tokenizer: Tokenizer,
): number[] {
  const wanted = given === undefined ? "-1" : given ?? "";
  const ids = typeof wanted === "string"
    ? wanted.split(",").filter((id) => id.trim() !== "").map(Number)
    : wanted;
  if (ids.length === 0) return [];
  const { transcribe, translate, sot, prev, startOfLm, noSpeech } = tokenizer.special;
  const named = checkedIds("suppressTokens", ids.filter((id) => id >= 0), tokenizer);
  const nonSpeech = ids.includes(-1) ? tokenizer.nonSpeechTokens : [];
  const prompts = [transcribe, translate, sot, prev, startOfLm, noSpeech].filter((id) => id !== null);
  return [...new Set([...named, ...nonSpeech, ...prompts])].sort((a, b) => a - b);
}

function resolveShared(
  options: Omit<DecodeOptions, "prompt">,
  tokenizer: Tokenizer,
  contextLength: number,
): Omit<ResolvedDecodeOptions, "prompt"> {
  const sampleLen = options.sampleLen ?? Math.floor(contextLength / 2);
  if (sampleLen > contextLength) {
    throw new SottoError(
      "E_OPTION",
      `Cannot use the options: sampleLen must be at most the model's context, ${contextLength}; got ${sampleLen}`,
    );
  }
  return {
    task: resolveTask(options.task, tokenizer),
    language: resolveLanguage(options.language, tokenizer),
    temperature: options.temperature ?? 0,
    seed: options.seed ?? 0,
    sampleLen,
    prefix: resolveTokens("prefix", options.prefix, tokenizer),
    suppressTokens: resolveSuppressed(options.suppressTokens, tokenizer),
    suppressBlank: options.suppressBlank ?? true,
    withoutTimestamps: options.withoutTimestamps ?? false,
    maxInitialTimestamp: options.maxInitialTimestamp === undefined ? 1 : options.maxInitialTimestamp || null,
  };
}

/**
 * Checks and completes the options of one window.
 *
 * @param model The vocabulary, and n_text_ctx as `contextLength`.
 * @throws {SottoError} E_OPTION for the first rule broken.
 */
export function resolveDecodeOptions(
  options: DecodeOptions & RunControls,
  model: { readonly tokenizer: Tokenizer; readonly contextLength: number },
): ResolvedDecodeOptions {
  check(options, DECODE_RULES);
  return {
    ...resolveShared(options, model.tokenizer, model.contextLength),
    prompt: resolveTokens("prompt", options.prompt, model.tokenizer),
  };
}

/**
 * Checks and completes the options of a whole recording.
 *
 * @param model The vocabulary, and n_text_ctx as `contextLength`.
 * @throws {SottoError} E_OPTION for the first rule broken.
 */
export function resolveTranscribeOptions(
  options: TranscribeOptions & RunControls,
  model: { readonly tokenizer: Tokenizer; readonly contextLength: number },
): ResolvedTranscribeOptions {
  check(options, TRANSCRIBE_RULES);
  const { initialPrompt, carryInitialPrompt, conditionOnPreviousText, noSpeechThreshold, logprobThreshold } =
    options;
  return {
    ...resolveShared(options, model.tokenizer, model.contextLength),
    initialPrompt: resolveTokens("initialPrompt", initialPrompt, model.tokenizer),
    carryInitialPrompt: carryInitialPrompt ?? false,
    conditionOnPreviousText: conditionOnPreviousText ?? true,
    noSpeechThreshold: noSpeechThreshold === undefined ? 0.6 : noSpeechThreshold,
    logprobThreshold: logprobThreshold === undefined ? -1 : logprobThreshold,
  };
}

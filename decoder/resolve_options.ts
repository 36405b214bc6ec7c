/**
 * Options a caller gave → complete options for one model: defaults filled in, texts in tokens.
 *
 * @module
 */

import { SottoError } from "../errors.ts";
import { clipsBetween, clipSeconds } from "./clips.ts";
import { LANGUAGES } from "./languages.ts";
import { checkDecodeOptions, checkTranscribeOptions, parseLanguage, temperaturesOf } from "./option_rules.ts";
import type {
  DecodeOptions,
  ResolvedDecodeOptions,
  ResolvedTranscribeOptions,
  RunControls,
  Task,
  TranscribeOptions,
} from "./options.ts";
import type { Tokenizer } from "./tokenizer.ts";
import { resolveWordOptions } from "./words/options.ts";
import { strip } from "./whitespace.ts";

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
  options: Omit<DecodeOptions, "prompt" | "temperature">,
  tokenizer: Tokenizer,
  contextLength: number,
): Omit<ResolvedDecodeOptions, "prompt" | "temperature"> {
  const sampleLen = options.maxNewTokens ?? options.sampleLen ?? Math.floor(contextLength / 2);
  const { beamSize = null, patience = null } = options;
  if (sampleLen > contextLength) {
    const name = options.maxNewTokens ? "maxNewTokens" : "sampleLen";
    throw new SottoError(
      "E_OPTION",
      `Cannot use the options: ${name} must be at most the model's context, ${contextLength}; got ${sampleLen}`,
    );
  }
  return {
    task: resolveTask(options.task, tokenizer),
    language: resolveLanguage(options.language, tokenizer),
    seed: options.seed ?? 0,
    // A single beam writes what greedy decoding writes, unless patience makes it go on behind the first end.
    beamSize: beamSize === 1 && patience === null ? null : beamSize,
    patience,
    bestOf: options.bestOf ?? null,
    lengthPenalty: options.lengthPenalty ?? null,
    repetitionPenalty: options.repetitionPenalty ?? 1,
    noRepeatNgramSize: options.noRepeatNgramSize ?? 0,
    sampleLen,
    hotwords: resolveTokens("hotwords", options.hotwords, tokenizer),
    prefix: resolveTokens("prefix", options.prefix, tokenizer),
    suppressTokens: resolveSuppressed(options.suppressTokens, tokenizer),
    suppressBlank: options.suppressBlank ?? true,
    withoutTimestamps: options.withoutTimestamps ?? false,
    loopThreshold: null,
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
  checkDecodeOptions(options);
  return {
    ...resolveShared(options, model.tokenizer, model.contextLength),
    temperature: options.temperature ?? 0,
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
  checkTranscribeOptions(options);
  const {
    noSpeechThreshold,
    logprobThreshold,
    compressionRatioThreshold,
  } = options;
  if (options.multilingual && !model.tokenizer.multilingual) {
    throw new SottoError(
      "E_OPTION",
      "Cannot use the options: multilingual needs a model of several languages, this one is English-only",
      { hint: "Take the multilingual model: its name has no .en at the end." },
    );
  }
  const shared = resolveShared(options, model.tokenizer, model.contextLength);
  return {
    ...shared,
    temperatures: temperaturesOf(options),
    compressionRatioThreshold: compressionRatioThreshold === undefined ? 2.4 : compressionRatioThreshold,
    initialPrompt: resolveTokens("initialPrompt", options.initialPrompt, model.tokenizer),
    carryInitialPrompt: options.carryInitialPrompt ?? false,
    conditionOnPreviousText: options.conditionOnPreviousText ?? true,
    noSpeechThreshold: noSpeechThreshold === undefined ? 0.6 : noSpeechThreshold,
    logprobThreshold: logprobThreshold === undefined ? -1 : logprobThreshold,
    clips: clipsBetween(clipSeconds(options.clipTimestamps ?? "0")!),
    loopThreshold: options.loopThreshold ?? null,
    words: resolveWordOptions(options, { ...model, sampleLen: shared.sampleLen }),
    multilingual: options.multilingual ?? false,
    languageDetectionSegments: options.languageDetectionSegments ?? 1,
    languageDetectionThreshold: options.languageDetectionThreshold ?? 0.5,
  };
}

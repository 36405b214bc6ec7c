/**
 * What each option must be. All of it is checked before any work begins.
 *
 * @module
 */

import { SottoError } from "../errors.ts";
import { didYouMean } from "../nearest.ts";
import { clipSeconds } from "./clips.ts";
import { LANGUAGE_SPELLINGS, languageCode } from "./languages.ts";
import { refuseConflicts } from "./option_conflicts.ts";
import type { DecodeOptions, RunControls, TranscribeOptions } from "./options.ts";
import { checkWordOptions, WORD_RULES } from "./words/options.ts";

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

// Above 1 the distribution is flatter than the model's own; openai-whisper does not go there either.
const isTemperature = (value: number): boolean => value >= 0 && value <= 1;
/** Most sequences of a session, `DecoderSession`. */
const MOST_SIDE_BY_SIDE = 32;
const SIDE_BY_SIDE: Rule = orNull(
  number(
    `a whole number of 1…${MOST_SIDE_BY_SIDE}`,
    (value) => Number.isInteger(value) && value >= 1 && value <= MOST_SIDE_BY_SIDE,
  ),
);
const POSITIVE_INTEGER: Rule = number("a positive integer", (value) => Number.isInteger(value) && value > 0);
const PROBABILITY: Rule = number("a probability of 0…1", (value) => value >= 0 && value <= 1);

const SHARED_RULES: Readonly<Record<string, Rule>> = {
  task: {
    must: "transcribe or translate",
    holds: (value) => value === "transcribe" || value === "translate",
  },
  language: orNull(TEXT),
  temperature: number("a number of 0…1", isTemperature),
  seed: number("an integer", (value) => Number.isSafeInteger(value)),
  beamSize: SIDE_BY_SIDE,
  patience: orNull(number("a number above 0", (value) => value > 0 && value < Infinity)),
  bestOf: SIDE_BY_SIDE,
  lengthPenalty: orNull(number("a number of 0…1", (value) => value >= 0 && value <= 1)),
  repetitionPenalty: number("a number above 0", (value) => value > 0 && value < Infinity),
  noRepeatNgramSize: number("a whole number, 0 for none", (value) => Number.isInteger(value) && value >= 0),
  sampleLen: POSITIVE_INTEGER,
  maxNewTokens: orNull(POSITIVE_INTEGER),
  hotwords: orNull(TEXT),
  prefix: orNull(TEXT_OR_TOKENS),
  suppressTokens: orNull(SUPPRESS),
  suppressBlank: BOOLEAN,
  withoutTimestamps: BOOLEAN,
  maxInitialTimestamp: orNull(number("seconds of 0…30", (value) => value >= 0 && value <= 30)),
};

const DECODE_RULES: Readonly<Record<string, Rule>> = { ...SHARED_RULES, prompt: orNull(TEXT_OR_TOKENS) };

const TRANSCRIBE_RULES: Readonly<Record<string, Rule>> = {
  ...SHARED_RULES,
  temperature: {
    must: "a number of 0…1, or a list of them",
    holds: (value) =>
      temperatureList(value).every((item) => typeof item === "number" && isTemperature(item)) &&
      temperatureList(value).length > 0,
  },
  compressionRatioThreshold: orNull(number("a number above 0", (value) => value > 0)),
  initialPrompt: orNull(TEXT),
  carryInitialPrompt: BOOLEAN,
  conditionOnPreviousText: BOOLEAN,
  noSpeechThreshold: orNull(PROBABILITY),
  logprobThreshold: orNull(number("a number, usually negative", (value) => !Number.isNaN(value))),
  ...WORD_RULES,
  clipTimestamps: {
    must: "seconds of 0 or more in ascending order, as a list or separated by commas",
    holds: (value) => clipSeconds(value) !== null,
  },
  loopThreshold: orNull(
    number("a whole number of 3 or more", (value) => Number.isInteger(value) && value >= 3),
  ),
  multilingual: BOOLEAN,
  languageDetectionSegments: POSITIVE_INTEGER,
  languageDetectionThreshold: PROBABILITY,
};

const CONTROLS: readonly string[] = [
  "signal",
  "stop",
  "onProgress",
  "onWarning",
  "onWindow",
  "resumeFrom",
];

/** One temperature or several, as a list. */
function temperatureList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value];
}

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

/** Temperatures of a recording where none is given (openai-whisper, `transcribe`). */
const DEFAULT_TEMPERATURES: readonly number[] = [0, 0.2, 0.4, 0.6, 0.8, 1];

/** The temperatures to try in turn. */
export function temperaturesOf({ temperature = DEFAULT_TEMPERATURES }: TranscribeOptions): readonly number[] {
  return temperatureList(temperature) as readonly number[];
}

/** Checks what can be checked before a model is there. Throws E_OPTION for the first rule broken. */
export function checkTranscribeOptions(options: TranscribeOptions & RunControls): void {
  check(options, TRANSCRIBE_RULES);
  refuseConflicts({ ...options, temperatures: temperaturesOf(options) });
  checkWordOptions(options);
  if (typeof options.language === "string") parseLanguage(options.language);
}

/** Checks what can be checked of one window's options before a model is there. Throws E_OPTION as above. */
export function checkDecodeOptions(options: DecodeOptions & RunControls): void {
  check(options, DECODE_RULES);
  refuseConflicts({ ...options, temperatures: [options.temperature ?? 0] });
  if (typeof options.language === "string") parseLanguage(options.language);
}

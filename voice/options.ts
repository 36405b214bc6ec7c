/**
 * What a caller may ask of voice activity, under the names of faster-whisper's `vad_parameters` in camel case.
 *
 * @module
 */

import { SottoError } from "../errors.ts";
import { didYouMean } from "../nearest.ts";

/** How speech is told from silence. */
export interface VadParameters {
  /** A frame whose probability of speech is at least this begins speech, 0…1; default 0.5. */
  readonly threshold?: number;
  /** Speech ends where the probability stays below this, 0…`threshold`; null (default): 0.15 below `threshold`. */
  readonly negThreshold?: number | null;
  /** Shorter speech is not kept; default 120: clicks are not speech. */
  readonly minSpeechDurationMs?: number;
  /** Longer speech is cut, at its longest pause if it has one; default Infinity. */
  readonly maxSpeechDurationS?: number;
  /** Silence that ends speech; default 2000. */
  readonly minSilenceDurationMs?: number;
  /** What is kept before and behind speech; default 400. */
  readonly speechPadMs?: number;
}

/** {@linkcode VadParameters} checked and complete. */
export type ResolvedVadParameters = { readonly [Name in keyof VadParameters]-?: number };

/** Defaults of faster-whisper's `VadOptions`, but that clicks are too short for speech (there 0). */
export const VAD_DEFAULTS: ResolvedVadParameters = {
  threshold: 0.5,
  negThreshold: 0.35,
  minSpeechDurationMs: 120,
  maxSpeechDurationS: Infinity,
  minSilenceDurationMs: 2000,
  speechPadMs: 400,
};

/** How far below `threshold` speech ends where nothing is said of it, and the least it can be. */
const HYSTERESIS = 0.15;
const LEAST_NEG_THRESHOLD = 0.01;

interface Rule {
  readonly must: string;
  readonly holds: (value: number) => boolean;
}

const PROBABILITY: Rule = { must: "a probability of 0…1", holds: (value) => value >= 0 && value <= 1 };
const MILLISECONDS: Rule = {
  must: "milliseconds of 0 or more",
  holds: (value) => value >= 0 && value < Infinity,
};

const RULES: Readonly<Record<keyof VadParameters, Rule>> = {
  threshold: PROBABILITY,
  negThreshold: PROBABILITY,
  minSpeechDurationMs: MILLISECONDS,
  // A window takes 30 s; below a second the cuts would fall into words.
  maxSpeechDurationS: { must: "seconds of 1 or more", holds: (value) => value >= 1 },
  minSilenceDurationMs: MILLISECONDS,
  speechPadMs: MILLISECONDS,
};

/**
 * Checks and completes parameters of voice activity.
 *
 * @param spelled How the user knows a parameter; default: by its name.
 * @param defaults What counts where nothing is said; default {@linkcode VAD_DEFAULTS}.
 * @throws {SottoError} E_OPTION if one is unknown or out of range.
 */
export function resolveVadParameters(
  given: VadParameters = {},
  { spelled = (name) => `vadParameters.${name}`, defaults = {} }: {
    readonly spelled?: (name: string) => string;
    readonly defaults?: VadParameters;
  } = {},
): ResolvedVadParameters {
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined || (name === "negThreshold" && value === null)) continue;
    const rule = RULES[name as keyof VadParameters];
    if (rule === undefined) {
      throw new SottoError("E_OPTION", `Cannot use the options: ${spelled(name)} is not one of them`, {
        hint: didYouMean(name, Object.keys(RULES)) || `There are ${Object.keys(RULES).join(", ")}.`,
      });
    }
    if (typeof value !== "number" || !rule.holds(value)) {
      const shown = typeof value === "number" ? value : JSON.stringify(value);
      throw new SottoError(
        "E_OPTION",
        `Cannot use the options: ${spelled(name)} must be ${rule.must}; got ${shown}`,
      );
    }
  }
  const wanted = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const merged = { ...VAD_DEFAULTS, negThreshold: null, ...defaults, ...wanted } as Required<VadParameters>;
  const negThreshold = merged.negThreshold ?? Math.max(LEAST_NEG_THRESHOLD, merged.threshold - HYSTERESIS);
  if (negThreshold > merged.threshold) {
    throw new SottoError(
      "E_OPTION",
      `Cannot use the options: ${spelled("negThreshold")} must be at most ${spelled("threshold")}; got ` +
        `${negThreshold} and ${merged.threshold}`,
    );
  }
  return { ...merged, negThreshold };
}

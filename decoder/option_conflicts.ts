/**
 * Options that work together or not at all, in one list.
 *
 * @module
 */

import { SottoError } from "../errors.ts";
import { candidatesOf } from "./beam_search.ts";
import type { DecodeOptions, TranscribeOptions } from "./options.ts";

/** Options whose values are well-formed, and the temperatures they come to. */
type Given = Omit<DecodeOptions & TranscribeOptions, "temperature"> & {
  readonly temperatures: readonly number[];
};

/** A combination that makes no sense. */
interface Conflict {
  /** What must hold, and what was found. */
  readonly rule: (options: Given) => string;
  readonly hint: string;
  readonly breaks: (options: Given) => boolean;
}

const given = (value: unknown): boolean => value !== undefined && value !== null && value !== "";

/** Two options of which one at most may be given. */
function either(
  [first, second]: readonly [keyof Given, keyof Given],
  hint: string,
  breaks = (options: Given): boolean => given(options[first]) && given(options[second]),
): Conflict {
  return { rule: () => `${first} and ${second} cannot be given together`, hint, breaks };
}

const CONFLICTS: readonly Conflict[] = [
  {
    rule: ({ temperatures }) => `bestOf needs a temperature above 0; got ${JSON.stringify(temperatures)}`,
    hint: "At temperature 0 all samples are the same: leave bestOf out, or use beamSize.",
    breaks: ({ bestOf, temperatures }) =>
      given(bestOf) && temperatures.every((temperature) => temperature === 0),
  },
  {
    rule: ({ temperatures }) => `beamSize needs temperature 0; got ${JSON.stringify(temperatures)}`,
    hint: "Above 0 tokens are drawn at random: leave beamSize out, or use bestOf.",
    breaks: ({ beamSize, temperatures }) => given(beamSize) && !temperatures.includes(0),
  },
  {
    rule: ({ patience }) => `patience needs beamSize; got patience ${patience} alone`,
    hint: "Give beamSize too, or leave patience out.",
    breaks: ({ beamSize, patience }) => given(patience) && !given(beamSize),
  },
  {
    rule: ({ beamSize, patience }) =>
      `beamSize × patience must come to at least one text; got ${beamSize} × ${patience}`,
    hint: "Give a higher patience.",
    breaks: ({ beamSize, patience }) => given(patience) && candidatesOf(beamSize!, patience!) < 1,
  },
  either(["sampleLen", "maxNewTokens"], "They mean the same."),
  either(["hotwords", "prefix"], "Hot words go before the text, a prefix begins it."),
  either(
    ["multilingual", "language"],
    "Either each window's language is detected, or all have the one given.",
    ({ multilingual, language }) => multilingual === true && given(language),
  ),
  either(
    ["multilingual", "languageDetectionSegments"],
    "Where each window's language is detected, no windows vote.",
    ({ multilingual, languageDetectionSegments }) =>
      multilingual === true && (languageDetectionSegments ?? 1) > 1,
  ),
];

/** Throws E_OPTION for the first conflict among options that are well-formed one by one. */
export function refuseConflicts(options: Given): void {
  for (const { rule, hint, breaks } of CONFLICTS) {
    if (breaks(options)) {
      throw new SottoError("E_OPTION", `Cannot use the options: ${rule(options)}`, { hint });
    }
  }
}

/**
 * The library's names of options in messages, as the command's user types them: `beamSize` is `--beam_size`.
 *
 * @module
 */

import { SottoError, type Warning } from "../errors.ts";
import { OPTION_TABLE } from "./option_table.ts";

const NAMES = Object.values(OPTION_TABLE).flat().map(({ name }) => name);
const TYPED = new Map(
  NAMES.map((name) => [name.replaceAll(/_(\w)/g, (_, letter) => letter.toUpperCase()), name]),
);
/** Names of several words are no others; one such as `language` is an option's only where a message speaks of options. */
const COMPOUND = [...TYPED.keys()].filter((name) => /[A-Z]/.test(name)).join("|");
const SIMPLE = [...TYPED.keys()].filter((name) => !/[A-Z]/.test(name)).join("|");
const SPOKEN_OF = new RegExp(
  `(?<![\\w-])(?:${COMPOUND})\\b|(?<=(?:options: |needs |leave |Give |and |or |use ))(?:${SIMPLE})\\b`,
  "g",
);

function typed(text: string): string {
  return text.replaceAll(SPOKEN_OF, (name) => `--${TYPED.get(name)}`)
    .replace(/^Cannot use the options: (?=--)/, "");
}

/** An error about options under the names that were typed; any other error as it is. */
export function underTypedNames(error: unknown): unknown {
  if (!(error instanceof SottoError) || error.code !== "E_OPTION") return error;
  return new SottoError(error.code, typed(error.message), { hint: typed(error.hint), cause: error });
}

/** A warning about options under the names that were typed; any other as it is. */
export function warningUnderTypedNames(warning: Warning): Warning {
  return warning.code === "W_OPTION" ? { ...warning, message: typed(warning.message) } : warning;
}

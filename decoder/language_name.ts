/**
 * What languages are called, in any language.
 *
 * @module
 */

import { SottoError } from "../errors.ts";
import { languageCode, LANGUAGES } from "./languages.ts";

/** Whisper's code for Javanese, `jw`, is one that no standard has. */
const STANDARD_CODES: Readonly<Record<string, string>> = { jw: "jv" };

/**
 * What a language is called, as `Intl` knows it: `languageName("de")` is `German`, `languageName("de", "fr")`
 * is `allemand`.
 *
 * @param language A code or English name of a language that Whisper knows.
 * @param locale The language to say it in (BCP 47); default English.
 * @throws {SottoError} E_OPTION if Whisper does not know the language, or `locale` is no language tag.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { languageName } from "./mod.ts";
 *
 * assert.equal(languageName("de", "es"), "alemán");
 * ```
 */
export function languageName(language: string, locale: string | Intl.Locale = "en"): string {
  const code = languageCode(language);
  if (code === undefined) {
    throw new SottoError(
      "E_OPTION",
      `Cannot name language "${language}": it is none of Whisper's ${Object.keys(LANGUAGES).length}`,
    );
  }
  try {
    const names = new Intl.DisplayNames(locale, { type: "language" });
    return names.of(STANDARD_CODES[code] ?? code) ?? LANGUAGES[code];
  } catch (error) {
    throw new SottoError("E_OPTION", `Cannot name a language in "${locale}": it is no language tag`, {
      cause: error,
    });
  }
}

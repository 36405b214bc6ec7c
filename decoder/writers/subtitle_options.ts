/**
 * How words are laid out in subtitles.
 *
 * @module
 */

import { SottoError } from "../../errors.ts";

/** Layout of the subtitles of a transcript with word times; without these, a subtitle is a segment. */
export interface SubtitleOptions {
  /** Underline each word as it is spoken: a cue for every word; default false. */
  readonly highlightWords?: boolean;
  /** Most characters in a line; a longer word has a line of its own. null (default): lines are not broken. */
  readonly maxLineWidth?: number | null;
  /**
   * Most lines in a subtitle; with `maxLineWidth`, subtitles then run on across segments. null (default): a segment's
   * lines stay together.
   */
  readonly maxLineCount?: number | null;
  /** Most words in a subtitle; null (default): any. */
  readonly maxWordsPerLine?: number | null;
}

/**
 * Throws E_OPTION if an option is out of range, under the name that `spelled` gives it.
 *
 * @param spelled How the user knows an option; default: by its name.
 */
export function checkSubtitleOptions(
  options: SubtitleOptions,
  spelled: (name: keyof SubtitleOptions) => string = (name) => name,
): void {
  for (const name of ["maxLineWidth", "maxLineCount", "maxWordsPerLine"] as const) {
    const value = options[name] ?? null;
    if (value === null || (Number.isInteger(value) && value > 0)) continue;
    throw new SottoError(
      "E_OPTION",
      `Cannot write subtitles: ${spelled(name)} must be a positive integer; got ${value}`,
    );
  }
}

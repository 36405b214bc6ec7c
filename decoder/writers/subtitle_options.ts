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
  /**
   * Subtitles that are easy to read, with word times or without: broken between phrases into lines of `maxLineWidth` (42)
   * characters, `maxLineCount` (2) at a time, shown for 5/6 of a second at least where there is time, never two at once, never
   * behind the recording's end. Default false: as openai-whisper breaks and times them.
   */
  readonly readable?: boolean;
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
  const other = options.highlightWords
    ? "highlightWords"
    : options.maxWordsPerLine
    ? "maxWordsPerLine"
    : null;
  if (options.readable && other !== null) {
    throw new SottoError(
      "E_OPTION",
      `Cannot write subtitles: ${spelled("readable")} and ${spelled(other)} cannot be given together`,
    );
  }
}

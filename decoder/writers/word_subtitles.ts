/**
 * Words to subtitles: which of them are shown together, and where their lines break (openai-whisper,
 * `whisper/utils.py`, `SubtitlesWriter`).
 *
 * @module
 */

import type { Segment } from "../segments.ts";
import { strip } from "../whitespace.ts";
import type { Word } from "../words/word.ts";
import type { SubtitleOptions } from "./subtitle_options.ts";

/** A pause before which a subtitle ends, where subtitles run on across segments; in seconds. */
const LONG_PAUSE = 3;

/** Characters of a line, and words of a subtitle, where no limit is given. */
const UNLIMITED = 1000;

/** Whether a transcript has word times; cleared segments have an empty list of words in any. */
export function hasWords(segments: readonly Segment[]): boolean {
  return segments.every(({ words }) => words) && segments.some(({ words }) => words!.length > 0);
}

/**
 * Groups the words of a transcript into subtitles. A word's text holds the white space before it: a line break where a
 * line begins.
 *
 * Without both `maxLineWidth` and `maxLineCount`, a subtitle ends with its segment.
 */
export function* wordSubtitles(
  segments: readonly Segment[],
  { maxLineWidth = null, maxLineCount = null, maxWordsPerLine = null }: SubtitleOptions,
): Generator<Word[]> {
  const keepsSegments = maxLineWidth === null || maxLineCount === null;
  const width = maxLineWidth ?? UNLIMITED;
  const most = maxWordsPerLine ?? UNLIMITED;
  let subtitle: Word[] = [];
  let lineLength = 0;
  let lines = 1;
  let spoken = segments.flatMap(({ words }) => words ?? []).at(0)?.start ?? 0;
  for (const { words = [] } of segments) {
    for (const [i, timed] of words.entries()) {
      let { word } = timed;
      const isPause = !keepsSegments && timed.start - spoken > LONG_PAUSE;
      const isBreak = i % most === 0 && subtitle.length > 0 && keepsSegments;
      const hasRoom = lineLength + lengthOf(word) <= width;
      if (lineLength > 0 && hasRoom && !isPause && !isBreak) {
        lineLength += lengthOf(word);
      } else {
        const isOpen = lineLength > 0;
        word = strip(word);
        lineLength = lengthOf(word);
        const isFull = maxLineCount !== null && (isPause || lines >= maxLineCount);
        if (subtitle.length > 0 && (isFull || isBreak)) {
          yield subtitle;
          subtitle = [];
          lines = 1;
        } else if (isOpen) {
          lines++;
          word = `\n${word}`;
        }
      }
      subtitle.push({ ...timed, word });
      spoken = timed.start;
    }
  }
  if (subtitle.length > 0) yield subtitle;
}

/** Characters, not UTF-16 units. */
function lengthOf(text: string): number {
  return [...text].length;
}

/**
 * The word between marks for underlining, white space before it and a line break behind it left outside. A word of
 * several lines stays as it is.
 */
export function underlined(word: string): string {
  const text = strip(word);
  const start = text === "" ? word.length : word.indexOf(text);
  const end = start < word.length && word.endsWith("\n") ? word.length - 1 : word.length;
  const shown = word.slice(start, end);
  return shown.includes("\n") ? word : `${word.slice(0, start)}<u>${shown}</u>${word.slice(end)}`;
}

/**
 * A transcript as the cues of SubRip and WebVTT.
 *
 * @module
 */

import { strip } from "../whitespace.ts";
import { READABLE, readableCues } from "./readable.ts";
import { checkSubtitleOptions, type SubtitleOptions } from "./subtitle_options.ts";
import { formatTimestamp, type TimeFormat } from "./timestamps.ts";
import type { TranscriptText } from "./transcript.ts";
import { hasWords, underlined, wordSubtitles } from "./word_subtitles.ts";

/** A text and when it is shown, as files spell it. */
export interface Cue {
  readonly start: string;
  readonly end: string;
  /** May have several lines; never holds the arrow between times. */
  readonly text: string;
}

/**
 * The cues of a transcript: its segments, or where it has word times, subtitles of its words.
 *
 * @throws {SottoError} E_OPTION if an option is out of range.
 */
export function* cuesOf(
  { segments, run }: Pick<TranscriptText, "segments" | "run">,
  format: TimeFormat,
  options: SubtitleOptions,
): Generator<Cue> {
  checkSubtitleOptions(options);
  const time = (seconds: number) => formatTimestamp(seconds, format);
  if (options.readable) {
    const { maxLineWidth, maxLineCount } = options;
    const layout = { width: maxLineWidth ?? READABLE.width, lines: maxLineCount ?? READABLE.lines };
    for (const { start, end, text } of readableCues(segments, layout, run?.seconds.audio)) {
      yield { start: time(start), end: time(end), text: withoutArrow(text) };
    }
    return;
  }
  if (!hasWords(segments)) {
    for (const { start, end, text } of segments) {
      yield { start: time(start), end: time(end), text: withoutArrow(strip(text)) };
    }
    return;
  }
  for (const subtitle of wordSubtitles(segments, options)) {
    const text = (lit?: number) =>
      withoutArrow(subtitle.map(({ word }, i) => i === lit ? underlined(word) : word).join(""));
    const end = time(subtitle[subtitle.length - 1].end);
    let shown = time(subtitle[0].start);
    if (!options.highlightWords) {
      yield { start: shown, end, text: text() };
      continue;
    }
    for (const [i, word] of subtitle.entries()) {
      const start = time(word.start);
      // Between two words none is lit.
      if (shown !== start) yield { start: shown, end: start, text: text() };
      shown = time(word.end);
      yield { start, end: shown, text: text(i) };
    }
  }
}

/** A text with the arrow would end the cue. */
function withoutArrow(text: string): string {
  return text.replaceAll("-->", "->");
}

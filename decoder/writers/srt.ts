/**
 * SubRip subtitles.
 *
 * @module
 */

import { cuesOf } from "./cues.ts";
import type { SubtitleOptions } from "./subtitle_options.ts";
import type { TimeFormat } from "./timestamps.ts";
import type { TranscriptText } from "./transcript.ts";

const FORMAT: TimeFormat = { alwaysHours: true, decimalMark: "," };

/** The contents of a `.srt` file, as openai-whisper writes it: cues numbered from 1. Throws E_OPTION if an option is out of range. */
export function writeSrt(
  transcript: Pick<TranscriptText, "segments" | "run">,
  options: SubtitleOptions = {},
): string {
  const cues = Array.from(cuesOf(transcript, FORMAT, options));
  return cues.map(({ start, end, text }, i) => `${i + 1}\n${start} --> ${end}\n${text}\n\n`).join("");
}

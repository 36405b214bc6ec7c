/**
 * WebVTT subtitles.
 *
 * @module
 */

import { cuesOf } from "./cues.ts";
import type { SubtitleOptions } from "./subtitle_options.ts";
import type { TimeFormat } from "./timestamps.ts";
import type { TranscriptText } from "./transcript.ts";

const FORMAT: TimeFormat = { alwaysHours: false, decimalMark: "." };

/** The contents of a `.vtt` file, as openai-whisper writes it. Throws E_OPTION if an option is out of range. */
export function writeVtt(
  transcript: Pick<TranscriptText, "segments" | "run">,
  options: SubtitleOptions = {},
): string {
  const cues = Array.from(cuesOf(transcript, FORMAT, options));
  return `WEBVTT\n\n${cues.map(({ start, end, text }) => `${start} --> ${end}\n${text}\n\n`).join("")}`;
}

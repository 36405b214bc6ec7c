/**
 * SubRip subtitles.
 *
 * @module
 */

import { cue, type TimeFormat } from "./subtitles.ts";
import type { TranscriptText } from "./transcript.ts";

const FORMAT: TimeFormat = { alwaysHours: true, decimalMark: "," };

/** The contents of a `.srt` file, as openai-whisper writes it: cues numbered from 1. */
export function writeSrt({ segments }: Pick<TranscriptText, "segments">): string {
  return segments.map((segment, i) => `${i + 1}\n${cue(segment, FORMAT)}`).join("");
}

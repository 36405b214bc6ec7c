/**
 * WebVTT subtitles.
 *
 * @module
 */

import { cue, type TimeFormat } from "./subtitles.ts";
import type { TranscriptText } from "./transcript.ts";

const FORMAT: TimeFormat = { alwaysHours: false, decimalMark: "." };

/** The contents of a `.vtt` file, as openai-whisper writes it. */
export function writeVtt({ segments }: Pick<TranscriptText, "segments">): string {
  return `WEBVTT\n\n${segments.map((segment) => cue(segment, FORMAT)).join("")}`;
}

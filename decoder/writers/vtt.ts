/**
 * WebVTT subtitles.
 *
 * @module
 */

import { cue, type TimeFormat } from "./subtitles.ts";
import type { Transcript } from "./transcript.ts";

const FORMAT: TimeFormat = { alwaysHours: false, decimalMark: "." };

/** The contents of a `.vtt` file, as openai-whisper writes it. */
export function writeVtt({ segments }: Pick<Transcript, "segments">): string {
  return `WEBVTT\n\n${segments.map((segment) => cue(segment, FORMAT)).join("")}`;
}

/**
 * Transcripts as files: plain text, subtitles, tables, JSON; to the letter as openai-whisper writes them. The functions
 * give the contents; writing files is for others.
 *
 * @module
 */

import { writeJson } from "./json.ts";
import { writeSrt } from "./srt.ts";
import type { SubtitleOptions } from "./subtitle_options.ts";
import type { TranscriptText } from "./transcript.ts";
import { writeTsv } from "./tsv.ts";
import { writeTxt } from "./txt.ts";
import { writeVtt } from "./vtt.ts";

export { checkSubtitleOptions, type SubtitleOptions } from "./subtitle_options.ts";
export type { TranscriptText } from "./transcript.ts";
export { writeJson, writeSrt, writeTsv, writeTxt, writeVtt };

/** A format; its name is also the file's extension. */
export type OutputFormat = "txt" | "vtt" | "srt" | "tsv" | "json";

type Writer = (transcript: TranscriptText, options: SubtitleOptions) => string;

const WRITERS: Readonly<Record<OutputFormat, Writer>> = {
  txt: writeTxt,
  vtt: writeVtt,
  srt: writeSrt,
  tsv: writeTsv,
  json: writeJson,
};

/** All formats, in openai-whisper's order. */
export const OUTPUT_FORMATS: readonly OutputFormat[] = Object.keys(WRITERS) as OutputFormat[];

/**
 * The contents of a transcript's file in that format.
 *
 * @param options Of subtitles, for `srt` and `vtt` of a transcript with word times.
 * @throws {SottoError} E_OPTION if one of these is out of range.
 */
export function writeTranscript(
  transcript: TranscriptText,
  format: OutputFormat,
  options: SubtitleOptions = {},
): string {
  return WRITERS[format](transcript, options);
}

/**
 * Transcripts as files: plain text, subtitles, tables, JSON; to the letter as openai-whisper writes them where it
 * does. The functions give the contents; writing files is for others.
 *
 * @module
 */

import { writeCsv } from "./csv.ts";
import { writeJson } from "./json.ts";
import { type TokenSpeller, writeJsonFull } from "./json_full.ts";
import { writeLrc } from "./lrc.ts";
import { writeSrt } from "./srt.ts";
import type { SubtitleOptions } from "./subtitle_options.ts";
import type { TranscriptText } from "./transcript.ts";
import { writeTsv } from "./tsv.ts";
import { writeTxt } from "./txt.ts";
import { writeVtt } from "./vtt.ts";

export { checkSubtitleOptions, type SubtitleOptions } from "./subtitle_options.ts";
export type { TranscriptText } from "./transcript.ts";
export type { TokenSpeller } from "./json_full.ts";
export { writeCsv, writeJson, writeJsonFull, writeLrc, writeSrt, writeTsv, writeTxt, writeVtt };

/** A format; see {@linkcode extensionOf} for its files' names. */
export type OutputFormat = "txt" | "vtt" | "srt" | "tsv" | "json" | "lrc" | "csv" | "json-full";

type Writer = (transcript: TranscriptText, options: WriteOptions) => string;

const WRITERS: Readonly<Record<OutputFormat, Writer>> = {
  txt: writeTxt,
  vtt: writeVtt,
  srt: writeSrt,
  tsv: writeTsv,
  json: writeJson,
  lrc: writeLrc,
  csv: writeCsv,
  "json-full": (transcript, { spell }) => writeJsonFull(transcript, spell),
};

/** openai-whisper's formats, in its order. */
export const OUTPUT_FORMATS: readonly OutputFormat[] = ["txt", "vtt", "srt", "tsv", "json"];

/** Formats that openai-whisper does not have. */
export const FURTHER_FORMATS: readonly OutputFormat[] = ["lrc", "csv", "json-full"];

/** How the name of a format's files ends, without the point. */
export function extensionOf(format: OutputFormat): string {
  return format === "json-full" ? "full.json" : format;
}

/** What formats are told besides the transcript. */
export interface WriteOptions extends SubtitleOptions {
  /** The text of a token, for `json-full`; without it tokens are written as ids alone. */
  readonly spell?: TokenSpeller;
}

/**
 * The contents of a transcript's file in that format.
 *
 * @param options Of subtitles, for `srt` and `vtt`.
 * @throws {SottoError} E_OPTION if one of these is out of range.
 */
export function writeTranscript(
  transcript: TranscriptText,
  format: OutputFormat,
  options: WriteOptions = {},
): string {
  return WRITERS[format](transcript, options);
}

/**
 * Going on with a recording behind the windows that a killed run finished.
 *
 * @module
 */

import type { SubtitleOptions, WindowRecord } from "../decoder/mod.ts";
import type { TranscriptionOptions } from "../transcription_options.ts";
import type { WhisperModel } from "../whisper_model.ts";
import { printLine, printWarning } from "./console.ts";
import { type Completion, Journal, type JournalIdentity } from "./journal.ts";
import type { OutputTarget } from "./output_files.ts";

/** A recording, by what tells it from others: a journal of another one is of no use. */
export interface RecordingFile {
  /** A path. */
  readonly file: string;
  /** The model as it was typed. */
  readonly modelName: string;
  /** Where the journal lies. */
  readonly path: string;
}

/**
 * Opens a recording's journal, and says so if it belongs to something else.
 *
 * @throws {SottoError} E_OUTPUT, E_DISK_FULL, E_PERMISSION.
 */
export async function openJournal(
  { file, modelName, path }: RecordingFile,
  model: WhisperModel,
  options: TranscriptionOptions,
): Promise<Journal> {
  const identity = await identityOf(file, modelName, model, options);
  const { journal, isForeign } = await Journal.open(path, identity, { resume: true });
  if (isForeign) {
    const message = `${file} is transcribed from its start: the recording, the model or the options changed`;
    printWarning({ code: "W_RESUME", message });
  }
  return journal;
}

/** Says where a recording is gone on with, if it is. */
export function tellWhereItGoesOn(file: string, { finished }: Journal): void {
  if (finished.length > 0) printLine(`going on with ${file} at ${clock(finished.at(-1)!)}`);
}

/** What is noted of a recording's outputs when they are written. */
export async function completionOf(
  targets: readonly OutputTarget[],
  subtitles: SubtitleOptions,
): Promise<Completion> {
  const files = await Promise.all(targets.map(async ({ path, format }) => {
    const info = await Deno.stat(path).catch(() => null);
    return { format, size: info?.size ?? null, modified: info?.mtime?.getTime() ?? null };
  }));
  return { outputs: { files, subtitles } };
}

/** Whether an earlier run finished just these outputs, and they are still as it left them. */
export async function isFinished(
  { completion }: Journal,
  targets: readonly OutputTarget[],
  subtitles: SubtitleOptions,
): Promise<boolean> {
  return completion !== null &&
    JSON.stringify(completion) === JSON.stringify(await completionOf(targets, subtitles));
}

async function identityOf(
  file: string,
  modelName: string,
  { device, encoder, decoder, dims }: WhisperModel,
  options: TranscriptionOptions,
): Promise<JournalIdentity> {
  const { size, mtime } = await Deno.stat(file);
  return {
    recording: { size, modified: mtime?.getTime() ?? null },
    model: modelName,
    dims,
    device: device.name,
    arithmetic: [encoder.arithmetic, decoder.arithmetic],
    // How long a decoder is waited for does not show in the text.
    options: { ...options, timeoutSeconds: undefined },
  };
}

function clock({ nextSeek }: WindowRecord): string {
  const seconds = Math.floor(nextSeek / 100);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

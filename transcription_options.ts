/**
 * Everything a transcription may be asked for, checked before any work begins.
 *
 * @module
 */

import type { AudioOptions } from "./audio/mod.ts";
import { checkTranscribeOptions, type RunControls, type TranscribeOptions } from "./decoder/mod.ts";
import { SottoError } from "./errors.ts";
import { resolveVadParameters, type VadParameters } from "./voice/mod.ts";

/** Options of what is heard at all. From faster-whisper. */
export interface VoiceOptions {
  /** Leave out what is not speech; all times stay those of the recording. Default false. */
  readonly vadFilter?: boolean;
  /** How speech is told from silence, with `vadFilter`. */
  readonly vadParameters?: VadParameters;
}

/** Everything a transcription is asked for; all optional. */
export interface TranscriptionOptions
  extends TranscribeOptions, RunControls, VoiceOptions, Pick<AudioOptions, "ffmpeg" | "name"> {}

/** Options for whoever reads the audio and cuts it, and the rest, which is for the decoder. */
export interface SplitOptions {
  readonly voice: VoiceOptions;
  readonly decoding: TranscribeOptions & RunControls;
}

/** Splits options by who needs them. */
export function splitOptions(
  { ffmpeg: _ffmpeg, name: _name, vadFilter, vadParameters, ...decoding }: TranscriptionOptions,
): SplitOptions {
  return { voice: { vadFilter, vadParameters }, decoding };
}

/**
 * Checks what can be checked before a model is there.
 *
 * @throws {SottoError} E_OPTION for the first rule broken.
 */
export function checkTranscriptionOptions(options: TranscriptionOptions): void {
  const { voice: { vadFilter, vadParameters }, decoding } = splitOptions(options);
  checkTranscribeOptions(decoding);
  if (vadFilter !== undefined && typeof vadFilter !== "boolean") {
    throw new SottoError(
      "E_OPTION",
      `Cannot use the options: vadFilter must be true or false; got ${JSON.stringify(vadFilter)}`,
    );
  }
  resolveVadParameters(vadParameters);
  if (vadParameters !== undefined && !vadFilter) {
    throw new SottoError(
      "E_OPTION",
      "Cannot use the options: vadParameters needs vadFilter, and vadFilter is not true",
    );
  }
  if (vadFilter && decoding.clipTimestamps !== undefined && String(decoding.clipTimestamps) !== "0") {
    throw new SottoError(
      "E_OPTION",
      "Cannot use the options: vadFilter and clipTimestamps cannot be given together",
      { hint: "Either voice activity finds what is transcribed, or clipTimestamps says it." },
    );
  }
}

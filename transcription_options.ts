/**
 * Everything a transcription may be asked for, checked before any work begins.
 *
 * @module
 */

import { type AudioOptions, checkTimeout } from "./audio/mod.ts";
import { checkTranscribeOptions, type RunControls, type TranscribeOptions } from "./decoder/mod.ts";
import { SottoError } from "./errors.ts";
import { resolveVadParameters, type VadParameters } from "./voice/mod.ts";

/** Options of what is heard at all. From faster-whisper. */
export interface VoiceOptions {
  /** Leave out what is not speech; all times stay those of the recording. Default false. */
  readonly vadFilter?: boolean;
  /** How speech is told from silence, with `vadFilter` or `batchSize`. */
  readonly vadParameters?: VadParameters;
  /**
   * Path or `file:` URL of Silero's network (`silero_vad.onnx`, version 5 or 6), which tells speech from silence in place
   * of the built-in detector, with `vadFilter` or `batchSize`. It runs in ONNX Runtime, which Deno fetches from npm the
   * first time. Default null.
   */
  readonly vadModel?: string | URL | null;
  /**
   * Cut the recording at pauses into windows of up to 30 s that do not depend on each other, and have this many in
   * progress at a time, 1…32; with `vadFilter`, of speech alone. null (default): one window after the other, each begins where
   * the text of the one before ended.
   */
  readonly batchSize?: number | null;
}

/** Everything a transcription is asked for; all optional. */
export interface TranscriptionOptions
  extends
    TranscribeOptions,
    RunControls,
    VoiceOptions,
    Pick<AudioOptions, "ffmpeg" | "name" | "timeoutSeconds"> {}

/** Each has a session of its own on the device. */
const MOST_IN_PROGRESS = 32;

/** Options for whoever reads the audio and cuts it, and the rest, which is for the decoder. */
export interface SplitOptions {
  readonly voice: VoiceOptions;
  readonly decoding: TranscribeOptions & RunControls;
}

/** Splits options by who needs them. */
export function splitOptions(
  {
    ffmpeg: _ffmpeg,
    name: _name,
    timeoutSeconds: _timeout,
    vadFilter,
    vadParameters,
    vadModel,
    batchSize,
    ...decoding
  }: TranscriptionOptions,
): SplitOptions {
  return { voice: { vadFilter, vadParameters, vadModel, batchSize }, decoding };
}

/**
 * Checks what can be checked before a model is there.
 *
 * @throws {SottoError} E_OPTION for the first rule broken.
 */
export function checkTranscriptionOptions(options: TranscriptionOptions): void {
  const { voice: { vadFilter, vadParameters, vadModel = null, batchSize = null }, decoding } = splitOptions(
    options,
  );
  checkTranscribeOptions(decoding);
  if (options.timeoutSeconds !== undefined) checkTimeout(options.timeoutSeconds);
  if (vadFilter !== undefined && typeof vadFilter !== "boolean") {
    throw new SottoError(
      "E_OPTION",
      `Cannot use the options: vadFilter must be true or false; got ${JSON.stringify(vadFilter)}`,
    );
  }
  resolveVadParameters(vadParameters);
  if (
    batchSize !== null && !(Number.isInteger(batchSize) && batchSize >= 1 && batchSize <= MOST_IN_PROGRESS)
  ) {
    throw new SottoError(
      "E_OPTION",
      `Cannot use the options: batchSize must be a whole number of 1…${MOST_IN_PROGRESS}, or null; got ${
        JSON.stringify(batchSize)
      }`,
    );
  }
  if (batchSize !== null && decoding.conditionOnPreviousText) {
    throw new SottoError(
      "E_OPTION",
      "Cannot use the options: batchSize and conditionOnPreviousText cannot be given together",
      { hint: "Windows that are decoded at the same time do not know each other's text." },
    );
  }
  if (vadModel !== null && !(typeof vadModel === "string" && vadModel !== "") && !(vadModel instanceof URL)) {
    throw new SottoError(
      "E_OPTION",
      `Cannot use the options: vadModel must be a path or a file: URL; got ${JSON.stringify(vadModel)}`,
    );
  }
  if (vadModel !== null && !vadFilter && batchSize === null) {
    throw new SottoError("E_OPTION", "Cannot use the options: vadModel needs vadFilter or batchSize");
  }
  if (vadParameters !== undefined && !vadFilter) {
    throw new SottoError(
      "E_OPTION",
      "Cannot use the options: vadParameters needs vadFilter, and vadFilter is not true",
    );
  }
  if (
    (vadFilter || batchSize !== null) && decoding.clipTimestamps !== undefined &&
    String(decoding.clipTimestamps) !== "0"
  ) {
    throw new SottoError(
      "E_OPTION",
      "Cannot use the options: clipTimestamps cannot be given together with vadFilter or batchSize",
      { hint: "Either voice activity finds what is transcribed, or clipTimestamps says it." },
    );
  }
}

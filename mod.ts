/**
 * OpenAI Whisper from Deno: transcription, and its parts on their own.
 *
 * Nothing is loaded when this module is imported. Everything that fails throws a {@linkcode SottoError}.
 *
 * @example Transcribe a file
 * ```ts no-eval
 * import { loadModel } from "./mod.ts";
 *
 * using model = await loadModel("base");
 * const { text, segments, run } = await model.transcribe("talk.mp3");
 * for (const { start, end, text } of segments) console.log(start, end, text);
 * console.log(run.device, run.seconds);
 * ```
 *
 * @module
 */

export {
  type ErrorCode,
  EXIT_STATUS,
  SottoError,
  type Warning,
  type WarningCode,
  type WarningSink,
} from "./errors.ts";
export { loadModel, type LoadModelOptions, WhisperModel } from "./whisper_model.ts";
export type { Transcript, TranscriptionOptions } from "./transcribe.ts";
export type { RunArithmetic, RunReport, RunSeconds } from "./run_report.ts";
export * from "./audio/mod.ts";
export * from "./mel/mod.ts";
export * from "./encoder/mod.ts";
export * from "./decoder/mod.ts";
export * from "./kernels/mod.ts";
export * from "./model/mod.ts";

/**
 * OpenAI Whisper from Deno: transcription, and its parts on their own.
 *
 * Nothing is loaded when this module is imported. Everything that fails throws a {@linkcode SottoError}.
 *
 * @example Transcribe a file
 * ```ts
 * import { loadModel } from "./mod.ts";
 *
 * using model = await loadModel("models/demo"); // or a name: base, turbo, owner/name
 * const { text, segments, run } = await model.transcribe("models/demo/audio/01_command.wav");
 * for (const { start, end, text } of segments) console.log(start, end, text);
 * console.log(text, run.device, run.seconds);
 * ```
 *
 * @example Words with their times, of samples
 * ```ts
 * import { loadAudio, loadModel, wordTimes } from "./mod.ts";
 *
 * using model = await loadModel("models/demo");
 * const audio = await loadAudio("models/demo/audio/01_command.wav"); // F32 [samples], 16 kHz, mono
 * const words = wordTimes(await model.transcribe(audio, { wordTimestamps: true }));
 * console.log(words.map(({ word, start }) => `${start} ${word}`));
 * ```
 *
 * @example The encoder's features alone
 * ```ts
 * import { Encoder, loadAudio, logMel, padOrTrim } from "./mod.ts";
 *
 * using encoder = await Encoder.load("models/demo");
 * const audio = padOrTrim(await loadAudio("models/demo/audio/01_command.wav"));
 * const { dims: { n_mels: bands }, device } = encoder;
 * const features = await encoder.encode(await logMel(audio, { bands, device })); // F32 [1500, state]
 * console.log(features.length);
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
export type { Transcript } from "./transcribe.ts";
export type { TranscriptionOptions, VoiceOptions } from "./transcription_options.ts";
export type { VadParameters } from "./voice/mod.ts";
export { type LiveOptions, type LiveTranscript, type LiveUpdate, transcribeStream } from "./live/mod.ts";
export type { TranscriptionParts } from "./transcribe.ts";
export { type WordTimes, wordTimes } from "./word_times.ts";
export type { LibrarySource, LibraryStep } from "./ffi/library_path.ts";
export type { TranscriptionProgress } from "./transcription_progress.ts";
export type { RunArithmetic, RunReport, RunSeconds } from "./run_report.ts";
export {
  type AudioInfo,
  type AudioInput,
  type AudioOptions,
  type AudioSource,
  loadAudio,
  openAudio,
  type PcmStream,
} from "./audio/mod.ts";
export {
  type LogMel,
  logMel,
  type LogMelOptions,
  type MelFilters,
  melFilters,
  MelWindows,
  type MelWindowsOptions,
  padOrTrim,
  padOrTrimMel,
  SAMPLE_RATE,
  type SampleSource,
  type SampleStream,
} from "./mel/mod.ts";
export { Encoder, type EncoderOptions, type EncoderWeights, type Precision } from "./encoder/mod.ts";
export {
  type DecodeOptions,
  decodeWindow,
  detectLanguage,
  FURTHER_FORMATS,
  type LanguageDetection,
  languageName,
  LANGUAGES,
  OUTPUT_FORMATS,
  type OutputFormat,
  type Progress,
  type Random,
  type ResolvedDecodeOptions,
  type RunControls,
  type Segment,
  type SpecialTokens,
  type SubtitleOptions,
  type Task,
  type TextModel,
  type TextPart,
  Tokenizer,
  type TokenizerOptions,
  type TokenSpeller,
  type TranscribeOptions,
  type TranscriptText,
  type Vocabulary,
  type WindowRecord,
  type WindowResult,
  type Word,
  type WordState,
  type WriteOptions,
  writeTranscript,
} from "./decoder/mod.ts";
export {
  type AlignmentOptions,
  type Arithmetic,
  type AttentionStep,
  type BufferId,
  type BufferSpec,
  type Conv1dStep,
  type CpuDeviceOptions,
  type DecoderOptions,
  type DecoderPrecision,
  type DecoderSession,
  type Device,
  type DeviceChoice,
  type DeviceName,
  type DeviceOptions,
  type DeviceProbe,
  type GemmPart,
  type GemmStep,
  type LayerNormStep,
  type LoadedDecoder,
  type LoadedPlan,
  type LoadPlanOptions,
  type LogitReader,
  type NpuDeviceOptions,
  type NpuDispatchPolicy,
  type NpuPrecision,
  type NpuUsage,
  openDevice,
  type Plan,
  probeDevices,
  type RunOptions,
  type SessionStep,
  type Step,
  type TextAlignment,
  type TransposeStep,
  type WeightId,
} from "./kernels/mod.ts";
export {
  type Checkpoint,
  type CheckpointDimensions,
  type CheckpointFormat,
  type DecoderDimensions,
  type Dimensions,
  type DownloadOptions,
  type DownloadProgress,
  type EncoderDimensions,
  findModel,
  type FindModelOptions,
  type GenerationConfig,
  type LayerAndHead,
  openCheckpoint,
  type OpenCheckpointOptions,
  readFloat32,
  type StoredDtype,
  type StoredTensor,
  type TensorFile,
  type VocabularySource,
  WeightStore,
} from "./model/mod.ts";

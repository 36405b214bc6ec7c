/**
 * Features to text: tokenizer, decoding rules, decoding, language detection, whole recordings, and writers.
 *
 * @module
 */

export { type Batches, type Cut, transcribeBatches } from "./batched.ts";
export { compressionRatio } from "./compression_ratio.ts";
export { decodeWindow, detectLanguage, type TextModel, WindowDecoder, type WindowResult } from "./decode.ts";
export type { LanguageDetection } from "./language.ts";
export { languageName } from "./language_name.ts";
export { LANGUAGE_CODES, languageCode, LANGUAGES } from "./languages.ts";
export {
  type MelWindows,
  transcribeWindows,
  type TranscriptionModel,
  type TranscriptSummary,
} from "./long_form.ts";
export { checkTranscribeOptions, parseLanguage } from "./option_rules.ts";
export type {
  DecodeOptions,
  Progress,
  ResolvedDecodeOptions,
  ResolvedTranscribeOptions,
  RunControls,
  Task,
  TranscribeOptions,
} from "./options.ts";
export { resolveDecodeOptions, resolveTranscribeOptions } from "./resolve_options.ts";
export type { Random } from "./random.ts";
export type { WindowRecord } from "./window_record.ts";
export type { Segment } from "./segments.ts";
export type { SpecialTokens } from "./special_tokens.ts";

export { type TextPart, Tokenizer, type TokenizerOptions } from "./tokenizer.ts";
export { APPEND_PUNCTUATIONS, PREPEND_PUNCTUATIONS, type Word, type WordState } from "./words/mod.ts";
export type { BundledVocabulary } from "./vocabulary/bundled.ts";
export type { Vocabulary } from "./vocabulary_files.ts";
export {
  checkSubtitleOptions,
  extensionOf,
  FURTHER_FORMATS,
  OUTPUT_FORMATS,
  type OutputFormat,
  type SubtitleOptions,
  type TokenSpeller,
  type TranscriptText,
  writeCsv,
  writeJson,
  writeJsonFull,
  writeLrc,
  type WriteOptions,
  writeSrt,
  writeTranscript,
  writeTsv,
  writeTxt,
  writeVtt,
} from "./writers/mod.ts";

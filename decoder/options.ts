/**
 * What a caller may ask of the decoder, under openai-whisper's names in camel case, with its defaults; what only
 * faster-whisper has, under its names. Checked by `option_rules.ts`, completed by `resolve_options.ts`.
 *
 * @module
 */

import type { Warning } from "../errors.ts";
import type { Clip } from "./clips.ts";
import type { WindowRecord } from "./window_record.ts";
import type { WordOptions } from "./words/mod.ts";

/** `transcribe`: write what was said; `translate`: write it in English. */
export type Task = "transcribe" | "translate";

/** Options of decoding one window. */
export interface DecodeOptions {
  /** Default `transcribe`. */
  readonly task?: Task;
  /** Code or English name of the spoken language; null (default): detect it. English-only models know `en` alone. */
  readonly language?: string | null;
  /** 0 (default): the most probable token always; above: drawn with probability ∝ p^(1/temperature). */
  readonly temperature?: number;
  /** Where the random numbers of a temperature above 0 start, an integer; default 0. Equal seeds give equal texts. */
  readonly seed?: number;
  /** At temperature 0: how many texts are followed side by side, 1…32. null (default) or 1: the likeliest token always. */
  readonly beamSize?: number | null;
  /** Beam search ends when this many times `beamSize` texts are finished, above 0; null (default): 1. */
  readonly patience?: number | null;
  /** At temperatures above 0: of how many samples the likeliest is taken, 1…32; null (default): 1. */
  readonly bestOf?: number | null;
  /** How much longer texts are favoured among beams or samples, 0…1 (Google's α); null (default): judged by their mean. */
  readonly lengthPenalty?: number | null;
  /** Above 1: makes tokens that the window's text holds already less likely; default 1. From faster-whisper. */
  readonly repetitionPenalty?: number;
  /** Never writes this many tokens in a row twice; default 0: may. From faster-whisper. */
  readonly noRepeatNgramSize?: number;
  /** Most tokens to write for a window; default half the context, 224. */
  readonly sampleLen?: number;
  /** The same under faster-whisper's name; null (default): `sampleLen` counts. */
  readonly maxNewTokens?: number | null;
  /** Words to expect, shown before the previous text; not together with `prefix`. From faster-whisper. */
  readonly hotwords?: string | null;
  /** Text (or tokens) that precedes the window; the last n_text_ctx / 2 − 1 tokens count. */
  readonly prompt?: string | readonly number[] | null;
  /** Text (or tokens) that the window's transcript is made to begin with; not part of the result. */
  readonly prefix?: string | readonly number[] | null;
  /** Ids never to write, as a list or separated by commas; −1 stands for all non-speech tokens. Default "-1"; "" or null: none. */
  readonly suppressTokens?: string | readonly number[] | null;
  /** Do not begin with a space or with nothing; default true. */
  readonly suppressBlank?: boolean;
  /** Write text only, no times; default false. */
  readonly withoutTimestamps?: boolean;
  /** Latest start of the first segment in seconds after the window's; default 1. 0 or null: anywhere. */
  readonly maxInitialTimestamp?: number | null;
}

/** Options of transcribing a whole recording. */
export interface TranscribeOptions extends Omit<DecodeOptions, "prompt" | "temperature"> {
  /**
   * One temperature, or those to try in turn on a window whose text looks wrong, 0…1 each; default 0, 0.2, 0.4, 0.6,
   * 0.8, 1. Beams are for 0, samples for those above.
   */
  readonly temperature?: number | readonly number[];
  /** A text that compresses further than this is repetitive: try the next temperature. Default 2.4, null: never. */
  readonly compressionRatioThreshold?: number | null;
  /** Text before the first window: names and words to expect. */
  readonly initialPrompt?: string | null;
  /** Put the initial prompt before every window, not only the first; default false. */
  readonly carryInitialPrompt?: boolean;
  /** Show each window the text of those before it; default true. */
  readonly conditionOnPreviousText?: boolean;
  /** Skip a window whose no-speech probability is higher; default 0.6, null: never. */
  readonly noSpeechThreshold?: number | null;
  /**
   * … unless its average log-probability is above this; default −1, null: skip all the same. A text below it that is
   * not skipped is unlikely: try the next temperature.
   */
  readonly logprobThreshold?: number | null;
  /** Find when each word is spoken, and set segments' times by it; default false. */
  readonly wordTimestamps?: boolean;
  /** With word times: marks that belong to the word behind them; default `"'“¿([{-`. */
  readonly prependPunctuations?: string;
  /** With word times: marks that belong to the word before them; default `"'.。,，!！?？:：”)]}、`. */
  readonly appendPunctuations?: string;
  /**
   * With word times: skip silences longer than this many seconds around words that are probably made up; default
   * null: none.
   */
  readonly hallucinationSilenceThreshold?: number | null;
  /**
   * Parts of the recording to transcribe: seconds of start, end, start, end …, ascending, as a list or separated by
   * commas; without the last end, to the recording's end. Default "0": all of it.
   */
  readonly clipTimestamps?: string | readonly number[];
  /**
   * A text that repeats the same words this many times in a row, 24 tokens at least, is ended there; if it still does
   * at the highest temperature, they are written once, and the next window is not shown them. 6 is a good value; null
   * (default): texts run on, as openai-whisper's do.
   */
  readonly loopThreshold?: number | null;
  /** Detect the language of each window; default false: of the recording. From faster-whisper. */
  readonly multilingual?: boolean;
  /** From how many windows with speech the language is detected; default 1. From faster-whisper. */
  readonly languageDetectionSegments?: number;
  /** A window whose likeliest language is likelier than this decides alone; default 0.5. From faster-whisper. */
  readonly languageDetectionThreshold?: number;
}

/** What goes along with a run and does not change its result. */
export interface RunControls {
  /** Stops the work between two tokens; it then throws E_ABORTED. */
  readonly signal?: AbortSignal;
  /** Ends the work after the window in progress; what is there by then is the result. */
  readonly stop?: AbortSignal;
  /** Called after each window. */
  readonly onProgress?: (progress: Progress) => void;
  /** Called with what each window came to, and awaited, before its segments are handed out. */
  readonly onWindow?: (window: WindowRecord) => void | Promise<void>;
  /** What windows came to in a run of the same recording with the same options that was cut short: it goes on behind them. */
  readonly resumeFrom?: readonly WindowRecord[];
  /** Called for what the user should know although the work goes on. */
  readonly onWarning?: (warning: Warning) => void;
}

/** How far a recording is. A frame is 10 ms. */
export interface Progress {
  /** Frames whose text is written. */
  readonly framesDone: number;
  /** Frames of the recording. */
  readonly framesTotal: number;
}

/** {@linkcode DecodeOptions} checked and complete. */
export interface ResolvedDecodeOptions {
  /** What to write. */
  readonly task: Task;
  /** Code, or null: detect. */
  readonly language: string | null;
  /** 0…1. */
  readonly temperature: number;
  /** An integer. */
  readonly seed: number;
  /** 2…32, or null: greedy. */
  readonly beamSize: number | null;
  /** A factor, or null: 1. */
  readonly patience: number | null;
  /** 1…32, or null: 1. */
  readonly bestOf: number | null;
  /** 0…1, or null: mean. */
  readonly lengthPenalty: number | null;
  /** 1: none. */
  readonly repetitionPenalty: number;
  /** 0: none. */
  readonly noRepeatNgramSize: number;
  /** Most tokens to write. */
  readonly sampleLen: number;
  /** Tokens, whole. */
  readonly prompt: readonly number[];
  /** Tokens, whole. */
  readonly prefix: readonly number[];
  /** Tokens, whole. */
  readonly hotwords: readonly number[];
  /** Ids, ascending and unique; empty: suppress nothing. */
  readonly suppressTokens: readonly number[];
  /** Begin neither with a space nor with nothing. */
  readonly suppressBlank: boolean;
  /** Write no times. */
  readonly withoutTimestamps: boolean;
  /** How often a part of a text must come in a row to be a loop; null: loops are not looked for. */
  readonly loopThreshold: number | null;
  /** Seconds, or null: anywhere. */
  readonly maxInitialTimestamp: number | null;
}

/** {@linkcode TranscribeOptions} checked and complete. */
export interface ResolvedTranscribeOptions extends Omit<ResolvedDecodeOptions, "prompt" | "temperature"> {
  /** To be tried in turn, 0…1 each; at least one. */
  readonly temperatures: readonly number[];
  /** A ratio, or null: never too repetitive. */
  readonly compressionRatioThreshold: number | null;
  /** Tokens of the initial prompt. */
  readonly initialPrompt: readonly number[];
  /** Put the initial prompt before every window. */
  readonly carryInitialPrompt: boolean;
  /** Show each window the text before it. */
  readonly conditionOnPreviousText: boolean;
  /** A probability, or null: skip no window. */
  readonly noSpeechThreshold: number | null;
  /** A log-probability, or null. */
  readonly logprobThreshold: number | null;
  /** What is transcribed; at least one. */
  readonly clips: readonly Clip[];
  /** Of word times; null: none are wanted. */
  readonly words: WordOptions | null;
  /** Detect the language of each window. */
  readonly multilingual: boolean;
  /** Most windows that vote on the language. */
  readonly languageDetectionSegments: number;
  /** A probability. */
  readonly languageDetectionThreshold: number;
}

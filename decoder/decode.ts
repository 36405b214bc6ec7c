/**
 * Features of one window of 30 s to its text.
 *
 * @module
 */

import type { DecoderSession, LoadedDecoder } from "../kernels/device.ts";
import { compressionRatio } from "./compression_ratio.ts";
import { decodeGreedily } from "./greedy.ts";
import { detectLanguageOn, type LanguageDetection } from "./language.ts";
import { type LogitFilter, SuppressBlank, SuppressTokens, TimestampRules } from "./logit_filters.ts";
import {
  type DecodeOptions,
  type ResolvedDecodeOptions,
  resolveDecodeOptions,
  type RunControls,
} from "./options.ts";
import { roundHalfEven } from "./rounding.ts";
import { chooseAtRandom, chooseLikeliest, type Random, seededRandom } from "./token_choice.ts";
import type { Tokenizer } from "./tokenizer.ts";
import { strip } from "./whitespace.ts";

/** Seconds of a window. */
const WINDOW_SECONDS = 30;

/** The half of a Whisper that writes. */
export interface TextModel {
  /** The network. */
  readonly decoder: LoadedDecoder;
  /** Its vocabulary. */
  readonly tokenizer: Tokenizer;
}

/** What was written for one window. */
export interface WindowResult {
  /** Code of the language, given or detected. */
  readonly language: string;
  /** What was detected; null where the language was given. */
  readonly detection: LanguageDetection | null;
  /** Text and timestamp tokens, without the end. */
  readonly tokens: readonly number[];
  /** Text without timestamps and without white space at its ends. */
  readonly text: string;
  /** Sum of the tokens' log-probabilities, the end included, over their number + 1. */
  readonly avgLogprob: number;
  /** Probability that nothing is said; NaN where the vocabulary has no token for it. */
  readonly noSpeechProb: number;
  /** Temperature it was written at. */
  readonly temperature: number;
  /** See `compressionRatio`. */
  readonly compressionRatio: number;
}

/** Decodes window after window in one session of the device. */
export class WindowDecoder implements Disposable {
  readonly #model: TextModel;
  readonly #session: DecoderSession;

  /**
   * Opens a session.
   *
   * @param model Must outlive this.
   */
  constructor(model: TextModel) {
    this.#model = model;
    this.#session = model.decoder.open(1);
  }

  /** Takes the encoder's output, F32 [n_audio_ctx, n_text_state], as the window to decode. */
  async setFeatures(features: Float32Array<ArrayBuffer>): Promise<void> {
    await this.#session.setFeatures(features);
  }

  /** Detects the language of the window. Throws E_OPTION for an English-only model. */
  async detectLanguage(): Promise<LanguageDetection> {
    return await detectLanguageOn(this.#session, this.#model.tokenizer);
  }

  /**
   * Writes the window's text. May be repeated on the same features with other options.
   *
   * @param random Numbers for a temperature above 0; default: begins at `options.seed`.
   * @throws {SottoError} E_ABORTED if the signal says so.
   */
  async decode(
    options: ResolvedDecodeOptions,
    { random = seededRandom(options.seed), signal }: {
      readonly random?: Random;
      readonly signal?: AbortSignal;
    } = {},
  ): Promise<WindowResult> {
    const { tokenizer, decoder } = this.#model;
    const { special } = tokenizer;
    const detection = options.language === null ? await this.detectLanguage() : null;
    const language = options.language ?? detection!.language;
    const initial = initialTokens(options, language, { tokenizer, contextLength: decoder.dims.n_text_ctx });
    const { tokens, sumLogprob, noSpeechProb } = await decodeGreedily(this.#session, {
      initial,
      startIndex: initial.indexOf(special.sot),
      eot: special.eot,
      noSpeech: special.noSpeech,
      sampleLen: options.sampleLen,
      contextLength: decoder.dims.n_text_ctx,
      filters: filtersFor(options, tokenizer, decoder.dims.n_audio_ctx),
      choose: options.temperature === 0 ? chooseLikeliest : chooseAtRandom(options.temperature, random),
      signal,
    });
    const text = strip(tokenizer.decode(tokens));
    return {
      language,
      detection,
      tokens,
      text,
      avgLogprob: sumLogprob / (tokens.length + 1),
      noSpeechProb,
      temperature: options.temperature,
      compressionRatio: compressionRatio(text),
    };
  }

  /** Frees the session. */
  [Symbol.dispose](): void {
    this.#session[Symbol.dispose]();
  }
}

/** Previous text, start sequence and prefix, cut to what the context has room for. */
function initialTokens(
  options: ResolvedDecodeOptions,
  language: string,
  { tokenizer, contextLength }: { readonly tokenizer: Tokenizer; readonly contextLength: number },
): number[] {
  const half = Math.floor(contextLength / 2);
  const start = tokenizer.startSequence(language, options.task);
  if (options.withoutTimestamps) start.push(tokenizer.special.noTimestamps);
  // With the default sampleLen of `half` this is slice(-0): the whole prefix, as in openai-whisper.
  const prefix = options.prefix.slice(-(half - options.sampleLen));
  const prompt = options.prompt.length > 0
    ? [tokenizer.special.prev, ...options.prompt.slice(-(half - 1))]
    : [];
  return [...prompt, ...start, ...prefix];
}

function filtersFor(
  options: ResolvedDecodeOptions,
  tokenizer: Tokenizer,
  audioPositions: number,
): LogitFilter[] {
  const { special } = tokenizer;
  const filters: LogitFilter[] = [];
  if (options.suppressBlank) filters.push(new SuppressBlank([...tokenizer.encode(" "), special.eot]));
  if (options.suppressTokens.length > 0) filters.push(new SuppressTokens(options.suppressTokens));
  if (!options.withoutTimestamps) {
    const step = WINDOW_SECONDS / audioPositions;
    const { maxInitialTimestamp } = options;
    filters.push(
      new TimestampRules(
        special,
        maxInitialTimestamp === null ? null : roundHalfEven(maxInitialTimestamp / step),
      ),
    );
  }
  return filters;
}

/**
 * Decodes one window.
 *
 * @param features F32 [n_audio_ctx, n_text_state]: the encoder's output.
 * @throws {SottoError} E_OPTION if an option is unknown or out of range; E_ABORTED.
 */
export async function decodeWindow(
  model: TextModel,
  features: Float32Array<ArrayBuffer>,
  options: DecodeOptions & RunControls = {},
): Promise<WindowResult> {
  const contextLength = model.decoder.dims.n_text_ctx;
  const resolved = resolveDecodeOptions(options, { tokenizer: model.tokenizer, contextLength });
  using decoder = new WindowDecoder(model);
  await decoder.setFeatures(features);
  return await decoder.decode(resolved, { signal: options.signal });
}

/**
 * Detects the language spoken in one window.
 *
 * @param features F32 [n_audio_ctx, n_text_state]: the encoder's output.
 * @throws {SottoError} E_OPTION for an English-only model.
 */
export async function detectLanguage(
  model: TextModel,
  features: Float32Array<ArrayBuffer>,
): Promise<LanguageDetection> {
  using decoder = new WindowDecoder(model);
  await decoder.setFeatures(features);
  return await decoder.detectLanguage();
}

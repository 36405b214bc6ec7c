/**
 * Features of one window of 30 s to its text.
 *
 * @module
 */

import type { AlignmentOptions, DecoderSession, LoadedDecoder, TextAlignment } from "../kernels/device.ts";
import { BeamSearch } from "./beam_search.ts";
import { compressionRatio } from "./compression_ratio.ts";
import { likeliestOf } from "./hypothesis.ts";
import { IndependentTexts } from "./independent_texts.ts";
import { initialTokens, warnOfLongPrompts } from "./initial_tokens.ts";
import { detectLanguageOn, type LanguageDetection } from "./language.ts";
import { type LogitFilter, SuppressBlank, SuppressTokens, TimestampRules } from "./logit_filters.ts";
import { EndLoops } from "./loops.ts";
import type { DecodeOptions, ResolvedDecodeOptions, RunControls } from "./options.ts";
import { type Random, seededRandom, splitRandom } from "./random.ts";
import { NoRepeatNgrams, RepetitionPenalty } from "./repetition_filters.ts";
import { resolveDecodeOptions } from "./resolve_options.ts";
import { roundHalfEven } from "./rounding.ts";
import { chooseAtRandom, chooseLikeliest } from "./token_choice.ts";
import { searchTokens, type TokenSearch } from "./token_search.ts";
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
   * @param width Most texts written side by side, see {@linkcode widthOf}; default 1, which is greedy decoding.
   */
  constructor(model: TextModel, width = 1) {
    this.#model = model;
    this.#session = model.decoder.open(width);
  }

  /** Takes the encoder's output, F32 [n_audio_ctx, n_text_state], as the window to decode. */
  async setFeatures(features: Float32Array<ArrayBuffer>, signal?: AbortSignal): Promise<void> {
    await this.#session.setFeatures(features, signal);
  }

  /** Detects the language of the window. Throws E_OPTION for an English-only model. */
  async detectLanguage(signal?: AbortSignal): Promise<LanguageDetection> {
    return await detectLanguageOn(this.#session, this.#model.tokenizer, signal);
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
    const detection = options.language === null ? await this.detectLanguage(signal) : null;
    const language = options.language ?? detection!.language;
    const contextLength = decoder.dims.n_text_ctx;
    const initial = initialTokens(options, language, { tokenizer, contextLength });
    const { hypotheses, noSpeechProb } = await searchTokens(
      this.#session,
      searchFor(options, special.eot, random),
      {
        initial,
        startIndex: initial.indexOf(special.sot),
        noSpeech: special.noSpeech,
        timestampBegin: special.timestampBegin,
        sampleLen: options.sampleLen,
        contextLength,
        filters: filtersFor(options, tokenizer, decoder.dims.n_audio_ctx),
        signal,
      },
    );
    const { tokens, sumLogprob } = likeliestOf(hypotheses, options.lengthPenalty);
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

  /**
   * Finds how a text lies on the window; see {@linkcode DecoderSession.align}. Probabilities are those among text tokens.
   *
   * @param heads Heads of the cross-attention that follow the audio in time.
   */
  async align(
    tokens: readonly number[],
    heads: readonly (readonly [layer: number, head: number])[],
    options: Pick<AlignmentOptions, "start" | "positions" | "signal">,
  ): Promise<TextAlignment> {
    const vocabulary = this.#model.tokenizer.special.eot;
    return await this.#session.align(Int32Array.from(tokens), heads, { ...options, vocabulary });
  }

  /** Frees the session. */
  [Symbol.dispose](): void {
    this.#session[Symbol.dispose]();
  }
}

/** What decides over the number of texts written side by side. */
type SearchOptions = Pick<ResolvedDecodeOptions, "temperature" | "beamSize" | "bestOf">;

/** How many texts are written side by side at a temperature: beams at 0, samples above. */
export function widthOf({ temperature, beamSize, bestOf }: SearchOptions): number {
  return (temperature === 0 ? beamSize : bestOf) ?? 1;
}

function searchFor(options: ResolvedDecodeOptions, eot: number, random: Random): TokenSearch {
  const { temperature, beamSize, patience } = options;
  if (temperature > 0) {
    // Each sample has numbers of its own, so that the first is the same however many there are.
    const sample = () => chooseAtRandom(temperature, splitRandom(random));
    return new IndependentTexts(Array.from({ length: widthOf(options) }, sample), eot);
  }
  if (beamSize === null) return new IndependentTexts([chooseLikeliest], eot);
  return new BeamSearch(beamSize, { patience, eot });
}

function filtersFor(
  options: ResolvedDecodeOptions,
  tokenizer: Tokenizer,
  audioPositions: number,
): LogitFilter[] {
  const { special } = tokenizer;
  const filters: LogitFilter[] = [];
  if (options.repetitionPenalty !== 1) filters.push(new RepetitionPenalty(options.repetitionPenalty));
  if (options.noRepeatNgramSize > 0) filters.push(new NoRepeatNgrams(options.noRepeatNgramSize));
  if (options.suppressBlank) filters.push(new SuppressBlank([...tokenizer.encode(" "), special.eot]));
  if (options.suppressTokens.length > 0) filters.push(new SuppressTokens(options.suppressTokens));
  // Before the rules of times, which otherwise could forbid the end.
  if (options.loopThreshold !== null) filters.push(new EndLoops(options.loopThreshold, special));
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
  warnOfLongPrompts(resolved, contextLength, options);
  using decoder = new WindowDecoder(model, widthOf(resolved));
  await decoder.setFeatures(features, options.signal);
  return await decoder.decode(resolved, { signal: options.signal });
}

/**
 * Detects the language spoken in one window.
 *
 * @param features F32 [n_audio_ctx, n_text_state]: the encoder's output.
 * @throws {SottoError} E_OPTION for an English-only model; E_ABORTED.
 */
export async function detectLanguage(
  model: TextModel,
  features: Float32Array<ArrayBuffer>,
  { signal }: Pick<RunControls, "signal"> = {},
): Promise<LanguageDetection> {
  using decoder = new WindowDecoder(model);
  await decoder.setFeatures(features, signal);
  return await decoder.detectLanguage(signal);
}

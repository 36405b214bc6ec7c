/**
 * The phrase that is being spoken: read again and again while it grows, certain as soon as two readings agree, finished at a
 * pause.
 *
 * @module
 */

import {
  type DecodeOptions,
  type ResolvedDecodeOptions,
  resolveDecodeOptions,
  type Segment,
  WindowDecoder,
  type WindowResult,
} from "../decoder/mod.ts";
import { splitWords } from "../decoder/words/split_words.ts";
import { logMel, padOrTrimMel, SAMPLE_RATE } from "../mel/mod.ts";
import type { TranscriptionParts } from "../transcribe.ts";
import { quietest, type Span, SpeechDetector } from "../voice/mod.ts";
import { Agreement, type ReadWord } from "./agreement.ts";
import { alignedWords, wordsBefore } from "./aligned_words.ts";
import { firstPhrase } from "./phrase_bounds.ts";
import { wordsBeforeCut } from "./seam.ts";

/** What is new. */
export interface LiveUpdate {
  /** Text that was added for good; may be empty. All of them in a row are the captions. */
  readonly committed: string;
  /** What follows it as far as can be told now; the next update replaces it. */
  readonly partial: string;
  /** A phrase that was finished; null if none was. */
  readonly segment: Segment | null;
  /** Seconds of audio that were taken in so far. */
  readonly heard: number;
}

/** What a phrase is read with. */
export interface PhraseOptions
  extends Pick<DecodeOptions, "task" | "language" | "hotwords" | "suppressTokens" | "suppressBlank"> {
  /** Text before every phrase. */
  readonly initialPrompt?: string | null;
  readonly signal?: AbortSignal;
}

/** Whisper takes 30 s: a phrase is cut before it is full. */
export const LONGEST_PHRASE: number = 25 * SAMPLE_RATE;
/** Where a long phrase is cut: not in its first seconds, and not in those that just came. */
const CUT_AFTER = 10;
const CUT_BEFORE_END = 5;
/** Silence that is kept around speech, in frames of 10 ms: what is decoded does not begin within a word. */
const MARGIN = 30;
/** Frames before the end in which speech may begin that the detector has no ear for yet. */
const UNSURE = 100;
const FRAMES_PER_SECOND = 100;
const HOP = SAMPLE_RATE / FRAMES_PER_SECOND;
/** Seconds before the end in which a word may go on: what a model makes of half a word does agree with itself. */
const UNSETTLED = 0.8;
/** A phrase that repeats the same words so often is cut there. */
const LOOP_THRESHOLD = 6;
/** openai-whisper's thresholds for a window without speech. */
const NO_SPEECH = 0.6;
const UNLIKELY = -1;

/** The phrase that is being spoken: its samples, its readings, and what is certain of it. */
export class PhraseReader implements Disposable {
  readonly #parts: TranscriptionParts;
  readonly #options: ResolvedDecodeOptions;
  readonly #signal: AbortSignal | undefined;
  readonly #decoder: WindowDecoder;
  readonly #agreement = new Agreement();
  #samples = new Float32Array();
  /** Samples before those that are held. */
  #begin = 0;
  #heardLanguage: string | null = null;
  /** Code; null until a phrase was finished where none was given. */
  language: string | null;

  constructor(
    parts: TranscriptionParts,
    { signal, initialPrompt, task, language, hotwords, suppressTokens, suppressBlank }: PhraseOptions,
  ) {
    this.#parts = parts;
    this.#signal = signal;
    const given = { task, language, hotwords, suppressTokens, suppressBlank, prompt: initialPrompt };
    const options = resolveDecodeOptions({ ...given, withoutTimestamps: true }, {
      tokenizer: parts.tokenizer,
      contextLength: parts.decoder.dims.n_text_ctx,
    });
    this.#options = { ...options, loopThreshold: LOOP_THRESHOLD };
    this.language = options.language;
    this.#decoder = new WindowDecoder(parts);
  }

  /** Samples that are held. */
  get length(): number {
    return this.#samples.length;
  }

  append(samples: Float32Array): void {
    const all = new Float32Array(this.#samples.length + samples.length);
    all.set(this.#samples);
    all.set(samples, this.#samples.length);
    this.#samples = all;
  }

  /** Reads what there is: finishes phrases that a pause (in seconds) follows, and looks into the one that goes on. */
  async read(pause: number, isOver: boolean): Promise<LiveUpdate[]> {
    const updates: LiveUpdate[] = [];
    const pauseFrames = Math.round(pause * FRAMES_PER_SECOND);
    for (;;) {
      const probabilities = await this.#probabilities();
      const phrase = firstPhrase(probabilities, pauseFrames);
      const frames = probabilities.length;
      if (phrase === null) {
        if (this.#agreement.committed.length > 0) updates.push(await this.#finish(frames));
        else updates.push(this.#update([], [], null));
        this.#drop(isOver ? frames : Math.max(0, frames - UNSURE));
        return updates;
      }
      const { start, end, next } = phrase;
      if (next !== null || isOver || frames - end >= pauseFrames) {
        updates.push(await this.#finish(Math.min(end + MARGIN, next ?? frames), phrase));
        if (next === null && isOver) return updates;
        continue;
      }
      // Silence before the phrase is of no use any more.
      if (this.#agreement.committed.length === 0) this.#drop(Math.max(0, start - MARGIN));
      if (this.#samples.length >= LONGEST_PHRASE) {
        updates.push(await this.#cut(probabilities));
        continue;
      }
      const { words, result } = await this.#decode(this.#samples);
      const certain = this.#agreement.add(words, await this.#settled(words, result));
      updates.push(this.#update(certain, words.slice(certain.length), null));
      return updates;
    }
  }

  [Symbol.dispose](): void {
    this.#decoder[Symbol.dispose]();
  }

  /** How many of the words no further sound can change. */
  async #settled(words: readonly ReadWord[], { language }: WindowResult): Promise<number> {
    const { committed } = this.#agreement;
    const frames = Math.floor(this.#samples.length / HOP);
    const { task } = this.#options;
    const phrase = { words: [...committed, ...words], language, task, frames, signal: this.#signal };
    const until = frames / FRAMES_PER_SECOND - UNSETTLED;
    return Math.max(0, await wordsBefore(until, this.#parts, this.#decoder, phrase) - committed.length);
  }

  /** Makes all that is said before a frame certain, and goes on behind it. */
  async #finish(frame: number, speech: Span = { start: 0, end: frame }): Promise<LiveUpdate> {
    const { words, result } = await this.#decode(this.#samples.subarray(0, frame * HOP));
    const all = [...this.#agreement.committed, ...words];
    const segment = await this.#segment(all, result, frame, speech);
    this.#goOn(segment, frame);
    return this.#update(words, [], all.length > 0 ? segment : null);
  }

  /** Ends a phrase that is too long where it is quietest. Words that are certain and lie behind that begin the next one. */
  async #cut(probabilities: Uint8Array): Promise<LiveUpdate> {
    const latest = probabilities.length - CUT_BEFORE_END * FRAMES_PER_SECOND;
    const frame = quietest(probabilities, CUT_AFTER * FRAMES_PER_SECOND, latest);
    const { committed } = this.#agreement;
    const behind = await this.#decode(this.#samples.subarray(frame * HOP), []);
    const before = await this.#decode(this.#samples.subarray(0, frame * HOP), []);
    const spelled = (words: readonly ReadWord[]) => words.map(({ text }) => text);
    const count = wordsBeforeCut(spelled(committed), {
      before: spelled(before.words),
      behind: spelled(behind.words),
    });
    // What was said before the cut may not be certain yet.
    if (count === committed.length) return await this.#finish(frame);
    const segment = await this.#segment(committed.slice(0, count), before.result, frame, {
      start: 0,
      end: frame,
    });
    this.#goOn(segment, frame, committed.slice(count));
    return this.#update([], [], segment);
  }

  /** The words as a segment, in the times of the stream. The decoder must hold the phrase's features. */
  async #segment(
    words: readonly ReadWord[],
    result: WindowResult,
    frames: number,
    speech: Span,
  ): Promise<Segment> {
    const { language } = result;
    const phrase = { words, language, task: this.#options.task, frames, signal: this.#signal };
    const times = await alignedWords(this.#parts, this.#decoder, phrase);
    const offset = this.#begin / SAMPLE_RATE;
    // Where attention wanders off into silence, the detector knows better.
    const within = (seconds: number) =>
      Math.min(speech.end, Math.max(speech.start, seconds * FRAMES_PER_SECOND)) / FRAMES_PER_SECOND;
    const inStream = (seconds: number) => Math.round((offset + within(seconds)) * 1000) / 1000;
    return {
      id: 0,
      seek: Math.round(this.#begin / HOP),
      start: inStream(0),
      end: inStream(Infinity),
      text: words.map(({ text }) => text).join(""),
      tokens: words.flatMap(({ tokens }) => tokens),
      temperature: result.temperature,
      avgLogprob: result.avgLogprob,
      compressionRatio: result.compressionRatio,
      noSpeechProb: result.noSpeechProb,
      words: times.map((word) => ({ ...word, start: inStream(word.start), end: inStream(word.end) })),
    };
  }

  /** Begins the next phrase at a frame, with words of it that are certain. */
  #goOn(segment: Segment, frame: number, committed: readonly ReadWord[] = []): void {
    if (segment.tokens.length > 0) this.language ??= this.#heardLanguage;
    this.#drop(frame);
    this.#agreement.restart(committed);
  }

  #update(certain: readonly ReadWord[], open: readonly ReadWord[], segment: Segment | null): LiveUpdate {
    const text = (words: readonly ReadWord[]) => words.map(({ text }) => text).join("");
    const heard = (this.#begin + this.#samples.length) / SAMPLE_RATE;
    return { committed: text(certain), partial: text(open), segment, heard };
  }

  /** Reads samples; the words are those behind the prefix, which is what is certain unless another is given. */
  async #decode(
    samples: Float32Array,
    prefix: readonly number[] = this.#agreement.prefix,
  ): Promise<{ words: ReadWord[]; result: WindowResult }> {
    const { encoder, tokenizer } = this.#parts;
    await this.#decoder.setFeatures(
      await encoder.encode(await this.#logMel(samples), { signal: this.#signal }),
      this.#signal,
    );
    const options = { ...this.#options, language: this.language, prefix };
    const result = await this.#decoder.decode(options, { signal: this.#signal });
    this.#heardLanguage = result.language;
    const isSilent = result.noSpeechProb > NO_SPEECH && result.avgLogprob < UNLIKELY;
    const words = isSilent ? [] : splitWords(tokenizer, result.tokens, result.language);
    return { words, result };
  }

  async #logMel(samples: Float32Array) {
    const { device, encoder } = this.#parts;
    // One window's width of silence behind the last sample, so that the end is not mirrored.
    const mel = await logMel(samples, { bands: encoder.dims.n_mels, device, padding: 4 * HOP });
    const frames = Math.floor(samples.length / HOP);
    const content = new Float32Array(mel.bands * frames);
    for (let band = 0; band < mel.bands; band++) {
      content.set(mel.data.subarray(band * mel.frames, band * mel.frames + frames), band * frames);
    }
    return padOrTrimMel({ data: content, bands: mel.bands, frames });
  }

  async #probabilities(): Promise<Uint8Array> {
    const { device, encoder } = this.#parts;
    const { data, bands, frames } = await logMel(this.#samples, { bands: encoder.dims.n_mels, device });
    const power = new Float32Array(data.length);
    for (let frame = 0; frame < frames; frame++) {
      // Back to log10 of the power, but for a constant that the detector does not look at.
      for (let band = 0; band < bands; band++) {
        power[frame * bands + band] = 4 * data[band * frames + frame] - 4;
      }
    }
    const detector = new SpeechDetector(bands);
    detector.push(power);
    return detector.finish();
  }

  #drop(frames: number): void {
    const count = Math.min(frames * HOP, this.#samples.length);
    this.#samples = this.#samples.slice(count);
    this.#begin += count;
  }
}

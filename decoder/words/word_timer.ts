/**
 * Word times of a whole recording, a window at a time.
 *
 * @module
 */

import type { AlignmentOptions, TextAlignment } from "../../kernels/device.ts";
import type { Task } from "../options.ts";
import { roundHalfEven } from "../rounding.ts";
import {
  clearEmpty,
  type CutWindow,
  type DecodedWindow,
  FRAMES_PER_WINDOW,
  framesToSeconds,
  type Segment,
} from "../segments.ts";
import type { Tokenizer } from "../tokenizer.ts";
import { alignWords } from "./align_words.ts";
import { skipSilence } from "./hallucination.ts";
import { placeWords, type TimedSegment } from "./place_words.ts";
import type { AlignedWord } from "./word.ts";
import { WordOrder } from "./word_order.ts";

/** Mel frames a second. */
const FRAMES_PER_SECOND = 100;

/** Options of word times. */
export interface WordOptions {
  /** Marks that belong to the word behind them. */
  readonly prependPunctuations: string;
  /** Marks that belong to the word before them. */
  readonly appendPunctuations: string;
  /** Seconds of silence that count around made-up words; null: they are not looked for. */
  readonly hallucinationSilenceThreshold: number | null;
}

/** What a window's words are found with. */
export interface WordTimerModel {
  readonly tokenizer: Tokenizer;
  /** Mel frames an audio position: 2. */
  readonly framesPerStep: number;
  /** Frames of the recording. */
  readonly contentFrames: number;
  /** Aligns a text with the window that was decoded last; the text stands between start sequence and end. */
  readonly align: (
    tokens: readonly number[],
    options: Pick<AlignmentOptions, "start" | "positions">,
  ) => Promise<TextAlignment>;
}

/** A window's segments with words. */
export interface TimedWindow {
  readonly segments: readonly Segment[];
  /** Frame; above `seek` of the window. */
  readonly nextSeek: number;
  /** The window is read again from `nextSeek` on: it counts as if it had not been decoded. */
  readonly isRetried: boolean;
}

/** How far a {@linkcode WordTimer} is, in seconds. */
export interface WordState {
  /** Where the last word ends, as times are taken. */
  readonly wordEnd: number;
  /** Where the last segment ends, as times are taken. */
  readonly segmentEnd: number;
  /** When the last word ended. */
  readonly lastSpeech: number;
}

/** Finds word times, window after window. */
export class WordTimer {
  readonly #model: WordTimerModel;
  readonly #options: WordOptions;
  readonly #order = new WordOrder();
  #lastSpeech = 0;

  /** Begins a recording. */
  constructor(model: WordTimerModel, options: WordOptions) {
    this.#model = model;
    this.#options = options;
  }

  /** What the next window depends on, to go on from later. */
  get state(): WordState {
    return { lastSpeech: this.#lastSpeech, ...this.#order.state };
  }

  set state(state: WordState) {
    this.#lastSpeech = state.lastSpeech;
    this.#order.state = state;
  }

  /**
   * Gives a window's segments their words. The next window begins where the last word ends, unless a single
   * timestamp said that nothing follows.
   *
   * @param task What was asked for.
   */
  async time(window: DecodedWindow, cut: CutWindow, task: Task): Promise<TimedWindow> {
    const { seek, frames } = window;
    const offset = framesToSeconds(seek);
    const segments = cut.segments.map((segment): TimedSegment => ({ ...segment, words: [] }));
    placeWords(segments, await this.#alignedWords(window, segments, task), {
      ...this.#options,
      offset,
      eot: this.#model.tokenizer.special.eot,
      lastSpeech: this.#lastSpeech,
    });

    let { nextSeek } = cut;
    const threshold = this.#options.hallucinationSilenceThreshold;
    const spokenUntil = lastEnd(segments);
    if (!cut.endsWithOneTime && spokenUntil !== null && spokenUntil > offset) {
      const remaining = framesToSeconds(seek + FRAMES_PER_WINDOW) - spokenUntil;
      nextSeek = threshold === null || remaining > threshold
        ? roundHalfEven(spokenUntil * FRAMES_PER_SECOND)
        : seek + frames;
    }
    let kept = segments;
    if (threshold !== null) {
      const place = {
        seek,
        frames,
        windowFrames: FRAMES_PER_WINDOW,
        contentFrames: this.#model.contentFrames,
      };
      const skip = skipSilence(segments, place, { threshold, lastSpeech: this.#lastSpeech });
      nextSeek = skip.nextSeek ?? nextSeek;
      if (skip.isRetried) return { segments: [], nextSeek: Math.max(nextSeek, seek + 1), isRetried: true };
      kept = segments.slice(0, skip.kept);
    }
    this.#lastSpeech = lastEnd(kept) ?? this.#lastSpeech;
    // Whether a segment is empty is decided on times as they were found, so that putting them in order loses no text.
    const cleared = kept.map(clearEmpty);
    this.#order.apply(cleared);
    return { segments: cleared, nextSeek: Math.max(nextSeek, seek + 1), isRetried: false };
  }

  async #alignedWords(
    { frames, result: { language } }: DecodedWindow,
    segments: readonly Segment[],
    task: Task,
  ): Promise<AlignedWord[]> {
    const { tokenizer, framesPerStep } = this.#model;
    const { eot, noTimestamps } = tokenizer.special;
    const text = segments.flatMap(({ tokens }) => tokens.filter((token) => token < eot));
    if (text.length === 0) return [];
    const start = [...tokenizer.startSequence(language, task), noTimestamps];
    const alignment = await this.#model.align([...start, ...text, eot], {
      start: start.length,
      positions: Math.max(1, Math.floor(frames / framesPerStep)),
    });
    return alignWords({
      text,
      start,
      alignment,
      language,
      tokenizer,
      positionsPerSecond: FRAMES_PER_SECOND / framesPerStep,
    });
  }
}

/** When the last word ends, or the last segment where there are no words; null where there is neither. */
function lastEnd(segments: readonly TimedSegment[]): number | null {
  const spoken = segments.findLast(({ words }) => words.length > 0);
  return spoken?.words.at(-1)?.end ?? segments.at(-1)?.end ?? null;
}

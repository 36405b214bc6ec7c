/**
 * A recording cut at pauses into windows that do not depend on each other, several of them in progress at a time.
 *
 * @module
 */

import { WindowDecoder, type WindowResult } from "./decode.ts";
import { decodeWithFallback, isSilence, widestOf } from "./fallback.ts";
import type { LanguageDetection } from "./language.ts";
import { voteOnLanguage } from "./language_vote.ts";
import type { MelWindows, TranscriptionModel, TranscriptSummary } from "./long_form.ts";
import { withoutLoop } from "./loops.ts";
import type { ResolvedTranscribeOptions, RunControls, TranscribeOptions } from "./options.ts";
import { randomOfWindow } from "./random.ts";
import { resolveTranscribeOptions } from "./resolve_options.ts";
import { clearEmpty, cutWindow, FRAMES_PER_WINDOW, type Segment } from "./segments.ts";
import { throwIfAborted } from "./token_search.ts";
import { WordOrder, WordTimer } from "./words/mod.ts";

/** Frames of a recording from `start` up to, not including, `end`. */
export interface Cut {
  readonly start: number;
  readonly end: number;
}

/** How a recording is cut, and how much of it is in progress at a time. */
export interface Batches {
  /** Windows, in order, 1 to 3000 frames each; the language is detected on them too. */
  readonly cuts: readonly Cut[];
  /** Windows in progress at a time, 1 or more. */
  readonly batchSize: number;
}

/**
 * Transcribes window after window, each without the text of those before it.
 *
 * Where the text of a window breaks off, what follows its last time is decoded once more on its own: nothing is lost,
 * and nothing is heard twice, for windows do not overlap.
 *
 * @returns Yields segments in order, and returns the summary.
 * @throws {SottoError} E_OPTION before anything runs; E_ABORTED.
 */
export async function* transcribeBatches(
  windows: MelWindows,
  model: TranscriptionModel,
  { cuts, batchSize, ...given }: TranscribeOptions & RunControls & Batches,
): AsyncGenerator<Segment, TranscriptSummary> {
  const { tokenizer, decoder: { dims } } = model;
  const options = resolveTranscribeOptions(given, { tokenizer, contextLength: dims.n_text_ctx });
  const { signal, stop, onProgress, onWindow, resumeFrom = [] } = given;
  using slots = new Slots(model, options, windows.contentFrames, signal);
  let { language } = options;
  let detection: LanguageDetection | null = null;
  let seek = 0;
  const written: number[] = [];
  const order = new WordOrder();
  let count = 0;
  const emit = (segments: readonly Segment[]): Segment[] =>
    segments.map((segment) => {
      written.push(...segment.tokens);
      const words = segment.words?.map((word) => ({ ...word }));
      const timed = { ...segment, id: count++, words: words ?? [] };
      order.apply([timed]);
      return words ? timed : { ...segment, id: timed.id, start: timed.start, end: timed.end };
    });
  for (const record of resumeFrom) {
    seek = record.nextSeek;
    ({ language, detection } = record);
    yield* emit(record.segments);
  }
  const left = cuts.filter(({ end }) => end > seek);
  if (language === null && !options.multilingual && left.length > 0) {
    detection = await detect(windows, cuts, slots, options);
    language = detection.language;
  }
  let next = 0;
  const inProgress: Promise<readonly Segment[]>[] = [];
  let reading: Promise<unknown> = Promise.resolve();
  let done = 0;
  try {
    for (; done < left.length && !(stop?.aborted && inProgress.length === 0); done++) {
      while (next < left.length && inProgress.length < batchSize && !stop?.aborted) {
        throwIfAborted(signal);
        const { start, end } = left[next++];
        const mel = reading.then(() => windows.window(start, end - start));
        reading = mel;
        const work = mel.then((mel) => slots.decode(mel, start, end - start, language));
        work.catch(() => {}); // whoever awaits it is told
        inProgress.push(work);
      }
      const segments = emit(await inProgress.shift()!);
      seek = left[done].end;
      const startsAfresh = true;
      await onWindow?.({ nextSeek: seek, segments, startsAfresh, language, detection, words: null });
      yield* segments;
      onProgress?.({ framesDone: seek, framesTotal: windows.contentFrames });
    }
  } finally {
    await Promise.allSettled(inProgress);
  }
  return {
    text: tokenizer.decode(written),
    language: detection?.language ?? language,
    detection,
    isComplete: done === left.length,
  };
}

/** The language by the vote of the first windows. */
async function detect(
  windows: MelWindows,
  cuts: Batches["cuts"],
  slots: Slots,
  { languageDetectionSegments: voters, languageDetectionThreshold: threshold }: ResolvedTranscribeOptions,
): Promise<LanguageDetection> {
  const detect = (mel: Float32Array<ArrayBuffer>) => slots.detectLanguage(mel);
  if (windows.again) {
    await using ahead = windows.again();
    return await voteOnLanguage(ahead, { voters, threshold, detect });
  }
  const { start, end } = cuts[0];
  return await detect(await windows.window(start, end - start));
}

/** Sessions of the device, as many as windows are in progress. */
class Slots implements Disposable {
  readonly #model: TranscriptionModel;
  readonly #options: ResolvedTranscribeOptions;
  readonly #contentFrames: number;
  readonly #signal: AbortSignal | undefined;
  readonly #all: WindowDecoder[] = [];
  readonly #free: WindowDecoder[] = [];

  constructor(
    model: TranscriptionModel,
    options: ResolvedTranscribeOptions,
    contentFrames: number,
    signal: AbortSignal | undefined,
  ) {
    this.#model = model;
    this.#options = options;
    this.#contentFrames = contentFrames;
    this.#signal = signal;
  }

  /** What is written for the frames [start, start + frames); ids are of no meaning. */
  async decode(
    mel: Float32Array<ArrayBuffer>,
    start: number,
    frames: number,
    language: string | null,
  ): Promise<readonly Segment[]> {
    const place = { seek: start, frames };
    const features = await this.#model.encode(mel, { signal: this.#signal, place });
    const decoder = this.#take();
    try {
      await decoder.setFeatures(features);
      const { segments, nextSeek } = await this.#read(decoder, { start, frames, language });
      const rest = start + frames - nextSeek;
      if (rest <= 0) return segments;
      const moved = moveTo(mel, nextSeek - start, frames);
      return [...segments, ...await this.#rest(decoder, moved, { start: nextSeek, frames: rest, language })];
    } finally {
      this.#free.push(decoder);
    }
  }

  async detectLanguage(mel: Float32Array<ArrayBuffer>): Promise<LanguageDetection> {
    const features = await this.#model.encode(mel, { signal: this.#signal });
    const decoder = this.#take();
    try {
      await decoder.setFeatures(features);
      return await decoder.detectLanguage();
    } finally {
      this.#free.push(decoder);
    }
  }

  [Symbol.dispose](): void {
    for (const decoder of this.#all) decoder[Symbol.dispose]();
  }

  #take(): WindowDecoder {
    const free = this.#free.pop();
    if (free) return free;
    const made = new WindowDecoder(this.#model, widestOf(this.#options));
    this.#all.push(made);
    return made;
  }

  /** Decodes on behind where the text of a window broke off, as often as it does. */
  async #rest(
    decoder: WindowDecoder,
    mel: Float32Array<ArrayBuffer>,
    place: { start: number; frames: number; language: string | null },
  ): Promise<readonly Segment[]> {
    const { start: seek, frames } = place;
    const options = { signal: this.#signal, place: { seek, frames } };
    await decoder.setFeatures(await this.#model.encode(mel, options));
    const { segments, nextSeek } = await this.#read(decoder, place);
    const rest = place.start + place.frames - nextSeek;
    if (rest <= 0) return segments;
    const moved = moveTo(mel, nextSeek - place.start, place.frames);
    const following = await this.#rest(decoder, moved, { ...place, start: nextSeek, frames: rest });
    return [...segments, ...following];
  }

  /** Reads the window whose features are set. */
  async #read(
    decoder: WindowDecoder,
    { start, frames, language }: { start: number; frames: number; language: string | null },
  ): Promise<{ segments: readonly Segment[]; nextSeek: number }> {
    const { tokenizer } = this.#model;
    const options = this.#options;
    const framesPerStep = FRAMES_PER_WINDOW / this.#model.decoder.dims.n_audio_ctx;
    const prompt = options.initialPrompt;
    const written = await decodeWithFallback(decoder, { ...options, language, prompt }, {
      random: randomOfWindow(options.seed, start),
      signal: this.#signal,
    });
    const result: WindowResult = withoutLoop(written, options.loopThreshold, tokenizer);
    if (isSilence(result, options)) return { segments: [], nextSeek: start + frames };
    const window = { seek: start, frames, result };
    const cut = cutWindow(window, { tokenizer, framesPerStep, firstId: 0 });
    const timer = options.words && new WordTimer({
      tokenizer,
      framesPerStep,
      contentFrames: this.#contentFrames,
      align: (tokens) => decoder.align(tokens, this.#model.alignmentHeads),
    }, options.words);
    const segments = (await timer?.time(window, cut, options.task))?.segments ?? cut.segments.map(clearEmpty);
    const labelled = options.multilingual
      ? segments.map((segment) => ({ ...segment, language: result.language }))
      : segments;
    // What words say of where to go on counts where the recording does go on, not at a pause.
    return { segments: labelled, nextSeek: cut.nextSeek };
  }
}

/** A window from its column `by` on, zeros behind its `frames`. */
function moveTo(mel: Float32Array<ArrayBuffer>, by: number, frames: number): Float32Array<ArrayBuffer> {
  const moved = new Float32Array(mel.length);
  for (let row = 0; row < mel.length; row += FRAMES_PER_WINDOW) {
    moved.set(mel.subarray(row + by, row + frames), row);
  }
  return moved;
}

/**
 * A recording cut at pauses into windows that do not depend on each other, several of them in progress at a time.
 *
 * @module
 */

import { WindowDecoder, type WindowResult } from "./decode.ts";
import { decodeWithFallback, isSilence, widestOf } from "./fallback.ts";
import type { LanguageDetection } from "./language.ts";
import { voteOnLanguage } from "./language_vote.ts";
import { LockStep } from "./lock_step.ts";
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
  // Whoever stops listening is not kept waiting for the rest of the windows in progress.
  const leaving = new AbortController();
  const ending = signal ? AbortSignal.any([signal, leaving.signal]) : leaving.signal;
  using slots = new Slots(model, options, windows.contentFrames, ending);
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
  const works = new Works({
    most: batchSize,
    count: left.length,
    start: (i) => {
      const { start, end } = left[i];
      return slots.decode(() => windows.window(start, end - start), { start, frames: end - start, language });
    },
    startsMore: () => !stop?.aborted && !ending.aborted,
  });
  let done = 0;
  try {
    for (; done < left.length; done++) {
      throwIfAborted(signal);
      const work = works.take();
      if (work === null) break;
      const segments = emit(await work);
      seek = left[done].end;
      const startsAfresh = true;
      await onWindow?.({ nextSeek: seek, segments, startsAfresh, language, detection, words: null });
      yield* segments;
      onProgress?.({ framesDone: seek, framesTotal: windows.contentFrames });
    }
  } finally {
    leaving.abort();
    await works.end();
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

/** Work that is done in pieces. */
interface WorkPlan<T> {
  /** Pieces in progress at a time. */
  readonly most: number;
  /** How many there are. */
  readonly count: number;
  readonly start: (index: number) => Promise<T>;
  /** Asked before each piece. */
  readonly startsMore: () => boolean;
}

/**
 * Pieces of work in order, some in progress at a time. One that ends makes room for the next even while an earlier one
 * goes on; but what is done and not yet taken is bounded too.
 */
class Works<T> {
  readonly #of: WorkPlan<T>;
  readonly #untaken: Promise<T>[] = [];
  #next = 0;
  #running = 0;

  constructor(plan: WorkPlan<T>) {
    this.#of = plan;
  }

  /** The result of the next piece; null where none is in progress and none is to be started. */
  take(): Promise<T> | null {
    this.#fill();
    return this.#untaken.shift() ?? null;
  }

  /** Waits for what is in progress. */
  async end(): Promise<void> {
    await Promise.allSettled(this.#untaken);
  }

  #fill(): void {
    const { most, count, start, startsMore } = this.#of;
    while (this.#next < count && this.#running < most && this.#untaken.length < 2 * most && startsMore()) {
      this.#running++;
      const work = start(this.#next++);
      const onEnd = () => {
        this.#running--;
        this.#fill();
      };
      work.then(onEnd, onEnd); // whoever takes it is told of errors
      this.#untaken.push(work);
    }
  }
}

/** A stretch of the recording, in frames, and its language if it is known. */
interface Place {
  readonly start: number;
  readonly frames: number;
  readonly language: string | null;
}

/** Sessions of the device, as many as windows are in progress, which take their steps together. */
class Slots implements Disposable {
  readonly #model: TranscriptionModel;
  readonly #together: LockStep;
  readonly #options: ResolvedTranscribeOptions;
  readonly #contentFrames: number;
  readonly #signal: AbortSignal | undefined;
  readonly #all: WindowDecoder[] = [];
  readonly #free: WindowDecoder[] = [];
  #reading: Promise<unknown> = Promise.resolve();

  constructor(
    model: TranscriptionModel,
    options: ResolvedTranscribeOptions,
    contentFrames: number,
    signal: AbortSignal | undefined,
  ) {
    this.#together = new LockStep(model.decoder);
    this.#model = { ...model, decoder: this.#together };
    this.#options = options;
    this.#contentFrames = contentFrames;
    this.#signal = signal;
  }

  /** What is written for a window; ids are of no meaning. Windows are read one after the other. */
  async decode(
    window: () => Promise<Float32Array<ArrayBuffer>>,
    place: Place,
  ): Promise<readonly Segment[]> {
    const reading = this.#reading.then(window);
    this.#reading = reading;
    const mel = await reading;
    const decoder = this.#take();
    try {
      return await this.#read(decoder, mel, place);
    } finally {
      this.#free.push(decoder);
    }
  }

  async detectLanguage(mel: Float32Array<ArrayBuffer>): Promise<LanguageDetection> {
    const features = await this.#model.encode(mel, { signal: this.#signal });
    const decoder = this.#take();
    try {
      await decoder.setFeatures(features, this.#signal);
      return await decoder.detectLanguage(this.#signal);
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

  /** Reads a window, and on behind where its text broke off, as often as it does. */
  async #read(
    decoder: WindowDecoder,
    mel: Float32Array<ArrayBuffer>,
    place: Place,
  ): Promise<readonly Segment[]> {
    const { segments, nextSeek } = await this.#readOnce(decoder, mel, place);
    const by = nextSeek - place.start;
    if (by >= place.frames) return segments;
    const rest = { ...place, start: nextSeek, frames: place.frames - by };
    return [...segments, ...await this.#read(decoder, moveTo(mel, by, place.frames), rest)];
  }

  async #readOnce(
    decoder: WindowDecoder,
    mel: Float32Array<ArrayBuffer>,
    { start, frames, language }: Place,
  ): Promise<{ segments: readonly Segment[]; nextSeek: number }> {
    const { tokenizer } = this.#model;
    const options = this.#options;
    const framesPerStep = FRAMES_PER_WINDOW / this.#model.decoder.dims.n_audio_ctx;
    const prompt = options.initialPrompt;
    const random = randomOfWindow(options.seed, start);
    const signal = this.#signal;
    // The others wait while this window is encoded: all cores are at it, and the more step together the better.
    const written = await this.#together.writing(async () => {
      const features = await this.#model.encode(mel, { signal, place: { seek: start, frames } });
      await decoder.setFeatures(features, signal);
      return await decodeWithFallback(decoder, { ...options, language, prompt }, { random, signal });
    });
    const result: WindowResult = withoutLoop(written, options.loopThreshold, tokenizer);
    if (isSilence(result, options)) return { segments: [], nextSeek: start + frames };
    const window = { seek: start, frames, result };
    const cut = cutWindow(window, { tokenizer, framesPerStep, firstId: 0 });
    const timer = options.words && new WordTimer({
      tokenizer,
      framesPerStep,
      contentFrames: this.#contentFrames,
      align: (tokens, options) => decoder.align(tokens, this.#model.alignmentHeads, { ...options, signal }),
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

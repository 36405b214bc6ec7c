/**
 * The transcript of all that was heard, as that of a file: the same windows, prompts and rules, read while the stream goes
 * on, so that little is left to do at its end.
 *
 * @module
 */

import {
  type RunControls,
  type TranscribeOptions,
  transcribeWindows,
  type TranscriptText,
  type WindowRecord,
} from "../decoder/mod.ts";
import { N_FRAMES, SAMPLE_RATE } from "../mel/constants.ts";
import { melFrames } from "../mel/frames.ts";
import { release } from "../tensor/release.ts";
import type { TranscriptionParts } from "../transcribe.ts";
import { HeardWindows } from "./heard_windows.ts";
import { SampleQueue } from "./sample_queue.ts";

/** Samples that may wait where windows are not read as fast as they come: a minute. */
const WAITING = 60 * SAMPLE_RATE;
/** Where word times stand before the first word. */
const NO_WORDS = { wordEnd: 0, segmentEnd: 0, lastSpeech: 0 };

/** What a file would be transcribed with. */
export type ClosingOptions = TranscribeOptions & Pick<RunControls, "signal" | "onWarning">;

/** Reads windows of 30 s as soon as they are full, beside whatever else the model does. */
export class ClosingTranscript implements AsyncDisposable {
  readonly #parts: TranscriptionParts;
  readonly #options: ClosingOptions;
  readonly #left = new AbortController();
  readonly #queue = new SampleQueue(WAITING);
  readonly #windows: HeardWindows;
  readonly #records: WindowRecord[] = [];
  readonly #work: Promise<TranscriptText>;
  readonly #failed: Promise<never>;
  #hasWarned = false;

  /**
   * Begins with the first samples.
   *
   * @param options What the file would be transcribed with.
   */
  constructor(parts: TranscriptionParts, options: ClosingOptions) {
    this.#parts = parts;
    const signals = [this.#left.signal, ...(options.signal ? [options.signal] : [])];
    this.#options = { ...options, signal: AbortSignal.any(signals) };
    this.#windows = new HeardWindows(parts.encoder.dims.n_mels);
    this.#work = this.#run();
    this.#failed = this.#work.then(() => new Promise<never>(() => {}));
    this.#failed.catch(() => {}); // told to whoever pushes or finishes
  }

  /**
   * Takes what was heard; the samples must not be changed afterwards. Waits where a minute of them waits.
   *
   * @throws What the work in progress throws.
   */
  async push(samples: Float32Array): Promise<void> {
    this.#queue.push(samples);
    await Promise.race([this.#queue.room(), this.#failed]);
  }

  /** Ends the recording, and reads what is left of it. */
  async finish(): Promise<TranscriptText> {
    this.#queue.end();
    return await this.#work;
  }

  /** Ends the work in progress. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#left.abort();
    this.#queue.end();
    await this.#work.catch(() => {});
  }

  async #run(): Promise<TranscriptText> {
    const { device, encoder } = this.#parts;
    const { signal } = this.#options;
    const frames = melFrames(this.#queue, { bands: encoder.dims.n_mels, device, signal });
    for await (const block of frames) {
      const changed = this.#windows.push(block);
      release(block.power);
      this.#forget(changed);
      while (this.#windows.contentFrames - this.#seek >= N_FRAMES) await this.#readWindow();
    }
    const { text, language } = await this.#read();
    return { text, language, segments: this.#records.flatMap(({ segments }) => segments) };
  }

  /** Where the next window begins. */
  get #seek(): number {
    return this.#records.at(-1)?.nextSeek ?? 0;
  }

  /** Forgets what was read from a frame on. */
  #forget(frame: number): void {
    while (this.#records.length > 0 && (this.#records.at(-2)?.nextSeek ?? 0) >= frame) this.#records.pop();
  }

  /** Reads one window, as the file's reader would. */
  async #readWindow(): Promise<void> {
    const { language = null } = this.#options;
    const isOpen = language === null && (this.#records.at(-1)?.language ?? null) === null;
    // A file's language is that of its first window with speech.
    if (isOpen && !this.#windows.holdsSpeech(this.#seek, N_FRAMES)) {
      this.#records.push({
        nextSeek: this.#seek + N_FRAMES,
        segments: [],
        startsAfresh: false,
        language: null,
        detection: null,
        words: this.#options.wordTimestamps ? NO_WORDS : null,
      });
      return;
    }
    await this.#read(new AbortController());
  }

  /** Goes on behind the windows that were read: to the end of what was heard, or until it is stopped after a window. */
  async #read(stop?: AbortController): Promise<{ text: string; language: string | null }> {
    const { encoder, decoder, tokenizer, alignmentHeads } = this.#parts;
    const encode = (mel: Float32Array<ArrayBuffer>) => encoder.encode(mel, { signal: this.#options.signal });
    const { onWarning, ...options } = this.#options;
    const work = transcribeWindows(this.#windows, { encode, decoder, tokenizer, alignmentHeads }, {
      ...options,
      onWarning: this.#hasWarned ? undefined : onWarning,
      stop: stop?.signal,
      resumeFrom: [...this.#records],
      onWindow: (record) => {
        this.#records.push(record);
        stop?.abort();
      },
    });
    this.#hasWarned = true;
    let step = await work.next();
    while (!step.done) step = await work.next();
    return step.value;
  }
}

/**
 * The log-mel of a recording of any length, window by window, in constant memory.
 *
 * Whisper scales by the loudest frame of the whole recording, so the recording is read twice: once to find
 * that frame, once to serve windows. Short recordings are kept instead.
 *
 * @module
 */

import { SottoError } from "../errors.ts";
import type { Device } from "../kernels/device.ts";
import { release } from "../tensor/release.ts";
import { CENTER_PADDING, HOP_LENGTH, LOG_FLOOR, N_FRAMES, SAMPLE_RATE } from "./constants.ts";
import { FrameRing } from "./frame_ring.ts";
import { type FrameBlock, melFrames, type MelFramesOptions, MOST_FRAMES_OF_A_BLOCK } from "./frames.ts";
import { loudest, normalized } from "./normalize.ts";

/** Recordings of up to 5 minutes are kept after the first reading: 10 MB at 80 bands, 15 MB at 128. */
const KEPT_FRAMES = 30_000;

/** Samples of a recording in order: F32, 16 kHz, one channel, in chunks of any size. */
export interface SampleStream extends AsyncIterable<Float32Array>, AsyncDisposable {}

/** A recording that can be read from its start more than once, with the same samples each time. */
export interface SampleSource {
  /** Starts reading; aborting `signal` ends it with E_ABORTED. */
  open(signal?: AbortSignal): Promise<SampleStream>;
}

/** Options of {@linkcode MelWindows.open}. */
export interface MelWindowsOptions {
  /** Mel bands, 80 unless said otherwise; 128 from large-v3 on. */
  readonly bands?: number;
  /** What computes the spectra. */
  readonly device: Pick<Device, "logMelPower">;
  /** Aborting it ends both readings with E_ABORTED. */
  readonly signal?: AbortSignal;
  /** Told during the first reading how many seconds have been read. */
  readonly onProgress?: (secondsRead: number) => void;
  /**
   * Shown every frame during the first reading, in order: F32 [n, bands], log10 of the mel power. The array is of use
   * during the call alone.
   */
  readonly onFrames?: (power: Float32Array<ArrayBuffer>) => void;
}

/** Frames of the second reading, and the recording they are read from. */
interface SecondReading {
  readonly stream: SampleStream;
  readonly blocks: AsyncGenerator<FrameBlock, void, void>;
}

/** Windows of a recording's log-mel; equal to cutting them from the log-mel of the whole recording. */
export class MelWindows implements AsyncDisposable {
  /** Samples of the recording. */
  readonly samples: number;
  /** Whole frames of the recording, 10 ms each: floor(samples / 160). */
  readonly contentFrames: number;
  /** Mel bands. */
  readonly bands: number;
  readonly #source: SampleSource;
  readonly #options: MelFramesOptions;
  readonly #first: FirstReading;
  readonly #ring: FrameRing;
  /** The largest value of the whole recording, before normalization. */
  readonly #loudest: number;
  #reading: SecondReading | null = null;
  #lastSeek = 0;

  /** See {@linkcode MelWindows.open}. */
  private constructor(source: SampleSource, options: MelFramesOptions, first: FirstReading) {
    this.#source = source;
    this.#options = options;
    this.#first = first;
    this.bands = options.bands;
    this.samples = first.samples;
    this.contentFrames = Math.floor(first.samples / HOP_LENGTH);
    this.#loudest = first.loudest;
    // A window and the block whose frames end it, where the recording was not kept.
    this.#ring = first.whole ?? new FrameRing(N_FRAMES + MOST_FRAMES_OF_A_BLOCK, options.bands);
  }

  /**
   * Reads the recording once.
   *
   * @throws {SottoError} E_ABORTED; E_AUDIO_VALUES if a sample is NaN or infinite; whatever the source throws.
   */
  static async open(source: SampleSource, options: MelWindowsOptions): Promise<MelWindows> {
    const framesOptions = { bands: options.bands ?? 80, device: options.device, signal: options.signal };
    return new MelWindows(source, framesOptions, await readOnce(source, framesOptions, options));
  }

  /** Windows of the same recording from its start again, to look ahead; the first reading serves both. */
  again(): MelWindows {
    return new MelWindows(this.#source, this.#options, this.#first);
  }

  /** Length of the recording. */
  get durationSeconds(): number {
    return this.samples / SAMPLE_RATE;
  }

  /**
   * The window of `frames` frames from frame `seek` on; await one before asking for the next.
   *
   * @param seek Not below the `seek` of the call before.
   * @param frames 0…3000, within the content.
   * @returns F32 [bands, 3000], columns from `frames` on 0; a new array.
   * @throws {SottoError} E_OPTION if the window breaks these rules, E_AUDIO_DECODE if the recording turns out
   * shorter than at the first reading, E_ABORTED.
   */
  async window(seek: number, frames: number): Promise<Float32Array<ArrayBuffer>> {
    this.#checkWindow(seek, frames);
    this.#lastSeek = seek;
    while (this.#ring.end < seek + frames) await this.#takeBlock();
    const data = new Float32Array(this.bands * N_FRAMES);
    for (let column = 0; column < frames; column++) {
      this.#setColumn(data, column, this.#ring.frame(seek + column));
    }
    return data;
  }

  /**
   * The first 3000 frames, where those after the content are the log-mel of silence and not 0: what
   * openai-whisper detects the language on. To be asked for before any window that does not start at 0.
   *
   * @returns F32 [bands, 3000]; a new array.
   * @throws {SottoError} as {@linkcode MelWindows.window}.
   */
  async openingWindow(): Promise<Float32Array<ArrayBuffer>> {
    this.#checkWindow(0, 0);
    const sounding = Math.min(N_FRAMES, soundingFrames(this.samples));
    while (this.#ring.end < sounding) await this.#takeBlock();
    const data = new Float32Array(this.bands * N_FRAMES);
    const silence = new Float32Array(this.bands).fill(LOG_FLOOR);
    for (let column = 0; column < N_FRAMES; column++) {
      this.#setColumn(data, column, column < sounding ? this.#ring.frame(column) : silence);
    }
    return data;
  }

  /** Ends the reading. */
  async [Symbol.asyncDispose](): Promise<void> {
    const reading = this.#reading;
    this.#reading = null;
    await reading?.blocks.return();
    await reading?.stream[Symbol.asyncDispose]();
  }

  #setColumn(data: Float32Array<ArrayBuffer>, column: number, frame: Float32Array<ArrayBuffer>): void {
    for (let band = 0; band < this.bands; band++) {
      data[band * N_FRAMES + column] = normalized(frame[band], this.#loudest);
    }
  }

  #checkWindow(seek: number, frames: number): void {
    const refuse = (rule: string): never => {
      throw new SottoError("E_OPTION", `Cannot cut a window: ${rule}`);
    };
    if (!Number.isInteger(frames) || frames < 0 || frames > N_FRAMES) {
      refuse(`need 0…${N_FRAMES} frames, got ${frames}`);
    }
    if (!Number.isInteger(seek) || seek < this.#lastSeek) {
      refuse(`need a start at or behind frame ${this.#lastSeek}, got ${seek}`);
    }
    if (seek + frames > this.contentFrames) {
      refuse(`need an end at or before frame ${this.contentFrames}, got ${seek + frames}`);
    }
  }

  async #takeBlock(): Promise<void> {
    const block = await this.#nextBlock();
    this.#ring.push(block);
    release(block);
  }

  async #nextBlock(): Promise<Float32Array<ArrayBuffer>> {
    if (this.#reading === null) {
      const stream = await this.#source.open(this.#options.signal);
      this.#reading = { stream, blocks: melFrames(stream, this.#options) };
    }
    const { done, value } = await this.#reading.blocks.next();
    if (!done) return value.power;
    throw new SottoError(
      "E_AUDIO_DECODE",
      `Cannot go on: the recording had ${
        this.durationSeconds.toFixed(2)
      } s at the first reading and ends at ` +
        `${(this.#ring.end * HOP_LENGTH / SAMPLE_RATE).toFixed(2)} s at the second`,
      { hint: "Do not change the file while it is being read." },
    );
  }
}

/** Frames that reach over at least one sample: those of {@linkcode melFrames}. */
function soundingFrames(samples: number): number {
  return samples === 0 ? 0 : Math.ceil((samples + CENTER_PADDING) / HOP_LENGTH);
}

/** What the first reading finds out. */
interface FirstReading {
  readonly samples: number;
  readonly loudest: number;
  /** All frames; null if they are too many. Filled once and for all, so that readings may share it. */
  readonly whole: FrameRing | null;
}

async function readOnce(
  source: SampleSource,
  options: MelFramesOptions,
  { onProgress, onFrames }: Pick<MelWindowsOptions, "onProgress" | "onFrames">,
): Promise<FirstReading> {
  await using stream = await source.open(options.signal);
  let samples = 0;
  // openai-whisper appends 30 s of silence to every recording, so no recording is without a silent frame.
  let max = LOG_FLOOR;
  let kept: Float32Array<ArrayBuffer>[] | null = [];
  for await (const block of melFrames(stream, options)) {
    samples = block.samplesRead;
    max = loudest(block.power, max);
    kept?.push(block.power);
    onFrames?.(block.power);
    onProgress?.(samples / SAMPLE_RATE);
    if (kept === null) release(block.power);
    else if (samples > KEPT_FRAMES * HOP_LENGTH) {
      kept.forEach(release);
      kept = null;
    }
  }
  return { samples, loudest: max, whole: kept && ringOf(kept, options.bands) };
}

/** A ring that holds exactly these blocks of frames, [n, bands] each. */
function ringOf(blocks: readonly Float32Array<ArrayBuffer>[], bands: number): FrameRing {
  const ring = new FrameRing(blocks.reduce((sum, block) => sum + block.length, 0) / bands, bands);
  for (const block of blocks) {
    ring.push(block);
    release(block);
  }
  return ring;
}

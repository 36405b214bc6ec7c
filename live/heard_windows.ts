/**
 * Windows of the log-mel of what was heard so far.
 *
 * @module
 */

import type { MelWindows } from "../decoder/mod.ts";
import { HOP_LENGTH, LOG_FLOOR, N_FRAMES } from "../mel/constants.ts";
import { FrameRing } from "../mel/frame_ring.ts";
import type { FrameBlock } from "../mel/frames.ts";
import { loudest, normalized } from "../mel/normalize.ts";
import { SpeechDetector, speechOracle } from "../voice/mod.ts";

/** Frames that are kept, 5 minutes: 10 MB at 80 bands, 15 MB at 128. */
const KEPT_FRAMES = 30_000;

/** A window that was given. */
interface Given {
  readonly seek: number;
  /** The least of its values, before normalization. */
  readonly least: number;
}

/**
 * The latest five minutes, scaled by the loudest frame so far. A file is scaled by the loudest of all, which is known at
 * the end alone; until then {@linkcode HeardWindows.push} says which windows would be others now.
 */
export class HeardWindows implements MelWindows {
  readonly #bands: number;
  readonly #ring: FrameRing;
  #loudest = LOG_FLOOR;
  #contentFrames = 0;
  /** Windows of which all frames are kept, in order. */
  #given: Given[] = [];

  /** @param bands Mel bands. */
  constructor(bands: number) {
    this.#bands = bands;
    this.#ring = new FrameRing(KEPT_FRAMES, bands);
  }

  /** Frames that hold audio so far. */
  get contentFrames(): number {
    return this.#contentFrames;
  }

  /**
   * Takes further frames.
   *
   * @returns Where the first window begins that a louder frame among them changes; Infinity if none is changed.
   */
  push({ power, samplesRead }: FrameBlock): number {
    this.#ring.push(power);
    this.#contentFrames = Math.floor(samplesRead / HOP_LENGTH);
    const before = this.#loudest;
    this.#loudest = loudest(power, before);
    const kept = this.#ring.end - KEPT_FRAMES;
    this.#given = this.#given.filter(({ seek }) => seek >= kept);
    // Scaling raises the quietest values alone: to 80 dB below the loudest.
    const isChanged = ({ least }: Given) => normalized(least, this.#loudest) !== normalized(least, before);
    const first = this.#given.findIndex(isChanged);
    if (first < 0) return Infinity;
    const { seek } = this.#given[first];
    this.#given.length = first;
    return seek;
  }

  /** See {@linkcode MelWindows}. */
  window(seek: number, frames: number): Promise<Float32Array<ArrayBuffer>> {
    const data = new Float32Array(this.#bands * N_FRAMES);
    this.#given.push({ seek, least: this.#fill(data, seek, frames) });
    return Promise.resolve(data);
  }

  /** See {@linkcode MelWindows}. */
  openingWindow(): Promise<Float32Array<ArrayBuffer>> {
    const data = new Float32Array(this.#bands * N_FRAMES).fill(normalized(LOG_FLOOR, this.#loudest));
    this.#fill(data, 0, Math.min(N_FRAMES, this.#ring.end));
    return Promise.resolve(data);
  }

  /** See {@linkcode MelWindows}. */
  holdsSpeech(seek: number, frames: number): boolean {
    const detector = new SpeechDetector(this.#bands);
    for (let frame = seek; frame < seek + frames; frame++) detector.push(this.#ring.frame(frame));
    return speechOracle(detector.finish())(0, frames);
  }

  /** Sets the first columns of F32 [bands, 3000] to frames, normalized; returns the least value before that. */
  #fill(data: Float32Array, seek: number, frames: number): number {
    let least = Infinity;
    for (let column = 0; column < frames; column++) {
      const frame = this.#ring.frame(seek + column);
      for (let band = 0; band < this.#bands; band++) {
        least = Math.min(least, frame[band]);
        data[band * N_FRAMES + column] = normalized(frame[band], this.#loudest);
      }
    }
    return least;
  }
}

/**
 * Windows of the log-mel of speech alone, cut from windows of the whole recording.
 *
 * A mel frame depends on 25 ms of sound, so that leaving frames out amounts to leaving sound out.
 *
 * @module
 */

import { N_FRAMES } from "../mel/mod.ts";
import { release } from "../tensor/release.ts";
import type { Timeline } from "./timeline.ts";

/** Where the log-mel of the whole recording comes from. */
export interface RecordingWindows {
  /** F32 [bands, 3000] from frame `seek` on, which never decreases; 0 behind `frames` frames; a new array, freed then. */
  window(seek: number, frames: number): Promise<Float32Array<ArrayBuffer>>;
  /** A second reading from the start. */
  again?(): RecordingWindows & AsyncDisposable;
}

/** The kept frames of a recording as one recording of its own, in constant memory. */
export class VoicedWindows implements AsyncDisposable {
  /** Frames that are kept. */
  readonly contentFrames: number;
  readonly #source: RecordingWindows & Partial<AsyncDisposable>;
  readonly #timeline: Timeline;
  /** [3000, bands]: kept frame n is row n modulo 3000. */
  #ring = new Float32Array();
  #bands = 0;
  #end = 0;

  /** @param source Read once, in order. */
  constructor(source: RecordingWindows & Partial<AsyncDisposable>, timeline: Timeline) {
    this.#source = source;
    this.#timeline = timeline;
    this.contentFrames = timeline.frames;
  }

  /**
   * `frames` kept frames from `seek` on.
   *
   * @param seek Never decreases from call to call.
   * @returns F32 [bands, 3000], columns from `frames` on 0; a new array.
   */
  async window(seek: number, frames: number): Promise<Float32Array<ArrayBuffer>> {
    // Frames that nobody asked for need not be read.
    this.#end = Math.max(this.#end, seek);
    for (const { start, end } of [...this.#timeline.locate(this.#end, seek + frames - this.#end)]) {
      for (let from = start; from < end; from += N_FRAMES) {
        const count = Math.min(N_FRAMES, end - from);
        const window = await this.#source.window(from, count);
        this.#take(window, count);
        release(window);
      }
    }
    const data = new Float32Array(this.#bands * N_FRAMES);
    for (let column = 0; column < frames; column++) {
      const row = (seek + column) % N_FRAMES * this.#bands;
      for (let band = 0; band < this.#bands; band++) data[band * N_FRAMES + column] = this.#ring[row + band];
    }
    return data;
  }

  /** The same from the start, where the recording can be read again. */
  again(): VoicedWindows {
    return new VoicedWindows(this.#source.again!(), this.#timeline);
  }

  /** Ends the reading of the recording, if it can be ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#source[Symbol.asyncDispose]?.();
  }

  #take(window: Float32Array<ArrayBuffer>, count: number): void {
    this.#bands = window.length / N_FRAMES;
    if (this.#ring.length === 0) this.#ring = new Float32Array(window.length);
    for (let column = 0; column < count; column++) {
      const row = this.#end++ % N_FRAMES * this.#bands;
      for (let band = 0; band < this.#bands; band++) {
        this.#ring[row + band] = window[band * N_FRAMES + column];
      }
    }
  }
}

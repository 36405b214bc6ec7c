/**
 * How fast a transcription goes, and how long it will take.
 *
 * @module
 */

/** Frames (10 ms) in a second. */
const FRAMES_PER_SECOND = 100;

/** Measures from the first window on, so that loading does not count. */
export class Pace {
  readonly #now: () => number;
  readonly #start: number;
  #first: { readonly frames: number; readonly at: number } | null = null;

  /** @param now Milliseconds that pass; default: the clock. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
    this.#start = now();
  }

  /** `, 31 × real time, 0:12 left`; empty while nothing can be said. */
  note(framesDone: number, framesTotal: number): string {
    const at = this.#now();
    const from = this.#first ?? { frames: 0, at: this.#start };
    this.#first ??= { frames: framesDone, at };
    const seconds = (at - from.at) / 1000;
    const heard = (framesDone - from.frames) / FRAMES_PER_SECOND;
    if (!(seconds > 0 && heard > 0)) return "";
    const rate = heard / seconds;
    const left = Math.ceil((framesTotal - framesDone) / FRAMES_PER_SECOND / rate);
    const clock = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    return `, ${rate < 10 ? rate.toFixed(1) : rate.toFixed(0)} × real time, ${clock} left`;
  }
}

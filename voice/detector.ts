/**
 * Voice activity from log-mel frames: what stands out of the noise around it, in several bands at once.
 *
 * The noise of a band is the lowest level it has within a second before or a second behind, whichever is louder:
 * speech has gaps in every band within a second; noise, hum and held tones have none, and where noise begins or ends,
 * one of the two sides is all noise. (Minimum statistics, Martin 2001, "Noise power spectral density estimation based on
 * optimal smoothing and minimum statistics"; with both sides, for the recording can be looked at ahead.)
 *
 * @module
 */

import { TrailingMinimum } from "./trailing_minimum.ts";

/** Share of the mel bands that lies under about 4 kHz, where voices stand out. */
const SPEECH_SHARE = 0.7;
/** Groups of neighbouring bands; the noise of a mean fluctuates less than that of a band. */
const GROUPS = 14;
/** Frames over which levels are smoothed: 50 ms. */
const SMOOTHING = 5;
/** Frames on each side within which a band of speech has a gap: 1 s. */
const REACH = 100;
/** Frames that are held: one and those after it within reach. */
const HELD = REACH + 1;
/** How many groups must stand out at once. A tone fills one to three, a voice more. */
const RANK = 5;
/** Levels below this (log10 of the mel power, 80 to 100 dB below loud speech) count as silence of this level. */
const SILENCE = -8;
/** Where speech is as likely as not, log10 of power over noise, and how fast that changes: see `README.md`. */
const MIDDLE = 0.85;
const SLOPE = 9;

/** Takes a recording's log-mel as it is read; gives the probability that somebody speaks, frame by frame. */
export class SpeechDetector {
  readonly #bands: number;
  /** Mean levels of the frames of which not all neighbours came yet: frame number modulo the size. */
  readonly #raw = new Float32Array(SMOOTHING * GROUPS);
  readonly #levels = new Float32Array(HELD * GROUPS);
  /** The least of each frame's level and those of the second before it. */
  readonly #least = new Float32Array(HELD * GROUPS);
  readonly #minimum = new TrailingMinimum(REACH + 1, GROUPS);
  readonly #excess = new Float32Array(GROUPS);
  /** A byte a frame; 255 is certainty. An hour takes 360 kB. */
  #bytes = new Uint8Array(1 << 14);
  #framesIn = 0;
  #smoothed = 0;
  #judged = 0;

  /** @param bands Mel bands, 80 or 128. */
  constructor(bands: number) {
    this.#bands = bands;
  }

  /** Takes further frames: F32 [n, bands], log10 of the mel power, not normalized. */
  push(power: Float32Array): void {
    for (let from = 0; from < power.length; from += this.#bands) {
      this.#addRaw(power.subarray(from, from + this.#bands));
    }
  }

  /**
   * Ends the recording.
   *
   * @returns The probability that somebody speaks, a frame each; 255 is certainty.
   */
  finish(): Uint8Array {
    while (this.#smoothed < this.#framesIn) this.#smooth();
    while (this.#judged < this.#smoothed) this.#judge();
    return this.#bytes.subarray(0, this.#judged);
  }

  #addRaw(frame: Float32Array): void {
    const used = Math.round(this.#bands * SPEECH_SHARE);
    const at = (this.#framesIn % SMOOTHING) * GROUPS;
    for (let group = 0; group < GROUPS; group++) {
      const first = Math.floor(group * used / GROUPS);
      const end = Math.floor((group + 1) * used / GROUPS);
      let sum = 0;
      for (let band = first; band < end; band++) sum += Math.max(frame[band], SILENCE);
      this.#raw[at + group] = sum / (end - first);
    }
    this.#framesIn++;
    if (this.#framesIn >= SMOOTHING) this.#smooth();
  }

  /** Smooths the next frame over the {@linkcode SMOOTHING} latest. */
  #smooth(): void {
    const known = Math.min(SMOOTHING, this.#framesIn);
    const at = this.#smoothed % HELD * GROUPS;
    const levels = this.#levels.subarray(at, at + GROUPS);
    for (let group = 0; group < GROUPS; group++) {
      let sum = 0;
      for (let i = 0; i < known; i++) sum += this.#raw[i * GROUPS + group];
      levels[group] = sum / known;
    }
    this.#minimum.push(levels, this.#least.subarray(at, at + GROUPS));
    this.#smoothed++;
    if (this.#smoothed > REACH) this.#judge();
  }

  /** Judges the next frame, of which {@linkcode REACH} further ones are known, or all there are. */
  #judge(): void {
    const frame = this.#judged++;
    const own = frame % HELD * GROUPS;
    const excess = this.#excess;
    for (let group = 0; group < GROUPS; group++) {
      const before = this.#least[own + group];
      excess[group] = this.#levels[own + group] - Math.max(before, this.#leastFrom(frame, group));
    }
    excess.sort();
    const score = excess[GROUPS - RANK];
    if (frame >= this.#bytes.length) {
      const larger = new Uint8Array(this.#bytes.length * 2);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#bytes[frame] = Math.round(255 / (1 + Math.exp(-SLOPE * (score - MIDDLE))));
  }

  /** The least level of a frame and those of the second behind it. */
  #leastFrom(frame: number, group: number): number {
    const last = frame + REACH;
    if (last < this.#smoothed) return this.#least[last % HELD * GROUPS + group];
    let least = Infinity; // the recording ends before
    for (let at = frame; at < this.#smoothed; at++) {
      least = Math.min(least, this.#levels[at % HELD * GROUPS + group]);
    }
    return least;
  }
}

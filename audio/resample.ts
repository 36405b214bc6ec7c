/**
 * Any rate to 16 kHz, exactly in time: output sample n is the input at n / 16000 seconds.
 *
 * Each output is a dot product of the inputs around it with one phase of a windowed sinc. Rates that share a
 * divisor with 16 kHz need few phases (44.1 kHz: 160, 48 kHz: 1), which are computed exactly; the others use
 * the two nearest of {@linkcode MAX_PHASES} and interpolate.
 *
 * With Nyquist's frequency meant of the lower of both rates: the pass band reaches to 7/8 of it (7 kHz when
 * the input is faster than 16 kHz) and is flat within 0.01 dB; the stop band begins at it and lies 90 dB lower.
 *
 * @module
 */

import { kaiserHalfWidth, windowedSinc } from "./kaiser.ts";
import { SAMPLE_RATE } from "./types.ts";

/**
 * Phases of the table at most. Interpolating linearly between phases 1/P apart errs by at most
 * max|h″| / 8 P² ≈ π² / 24 P² of the peak: −128 dB at 1024.
 */
const MAX_PHASES = 1024;

/** End of the pass band, of the lower Nyquist frequency. Nearer to 1 costs taps: 0.95 would need 2.5 × as many. */
const PASS_BAND = 7 / 8;

/** Output samples for that many input samples: round(samples × 16000 / rate), halves up. */
export function resampledLength(samples: number, rate: number): number {
  return Math.floor((2 * samples * SAMPLE_RATE + rate) / (2 * rate));
}

/** Turns a stream of samples into 16 kHz. At 16 kHz it passes the samples on untouched. */
export class Resampler {
  readonly #step: number; // input samples per output, as a fraction: step / phases
  readonly #phases: number;
  readonly #table: FilterTable;
  #history: Float64Array<ArrayBuffer>; // inputs that outputs to come still need
  #held = 0; // of history
  #offset: number; // input index of history[0]; negative while the zeros before the start are in it
  #received = 0;
  #produced = 0;

  /** @param rate Input samples a second, an integer from 4,000 to 384,000. */
  constructor(readonly rate: number) {
    const divisor = greatestCommonDivisor(rate, SAMPLE_RATE);
    this.#step = rate / divisor;
    this.#phases = SAMPLE_RATE / divisor;
    this.#table = filterTable(rate, this.#phases);
    this.#held = this.#table.before; // silence before the start
    this.#offset = -this.#held;
    this.#history = new Float64Array(this.#table.taps * 2);
  }

  /**
   * Takes the next samples.
   *
   * @param samples F32 [any length].
   * @returns The outputs that they complete, F32 [about length × 16000 / rate].
   */
  push(samples: Float32Array<ArrayBuffer>): Float32Array<ArrayBuffer> {
    this.#received += samples.length;
    if (this.rate === SAMPLE_RATE) return samples;
    this.#append(samples, samples.length);
    return this.#produce(Infinity);
  }

  /** The outputs that reach past the end, where silence follows. */
  finish(): Float32Array<ArrayBuffer> {
    if (this.rate === SAMPLE_RATE) return new Float32Array(0);
    this.#append(null, this.#table.taps);
    return this.#produce(resampledLength(this.#received, this.rate));
  }

  #append(samples: Float32Array<ArrayBuffer> | null, count: number): void {
    const needed = this.#held + count;
    if (needed > this.#history.length) {
      const larger = new Float64Array(needed * 2);
      larger.set(this.#history.subarray(0, this.#held));
      this.#history = larger;
    }
    if (samples === null) this.#history.fill(0, this.#held, needed);
    else this.#history.set(samples, this.#held);
    this.#held = needed;
  }

  /** All outputs whose inputs are here, up to the one numbered `end`. */
  #produce(end: number): Float32Array<ArrayBuffer> {
    const { taps, before, resolution, coefficients } = this.#table;
    // The last output whose inputs end inside the history: floor(n · step / phases) − before + taps ≤ its end.
    const lastCentre = this.#offset + this.#held - taps + before;
    const complete = lastCentre < 0 ? 0 : Math.floor(((lastCentre + 1) * this.#phases - 1) / this.#step) + 1;
    const count = Math.max(0, Math.min(end, complete) - this.#produced);
    const output = new Float32Array(count);
    let position = this.#produced * this.#step; // in 1 / phases of an input sample
    for (let n = 0; n < count; n++, position += this.#step) {
      const centre = Math.floor(position / this.#phases);
      const at = centre - before - this.#offset;
      const phase = (position - centre * this.#phases) * resolution / this.#phases;
      const row = Math.floor(phase);
      const fraction = phase - row;
      const value = dot(this.#history, at, coefficients, row * taps, taps);
      output[n] = fraction === 0
        ? value
        : value + fraction * (dot(this.#history, at, coefficients, (row + 1) * taps, taps) - value);
    }
    this.#produced += count;
    this.#forget(before);
    return output;
  }

  /** Drops the inputs that no output to come needs. */
  #forget(before: number): void {
    const next = Math.floor(this.#produced * this.#step / this.#phases) - before;
    const drop = Math.min(this.#held, next - this.#offset);
    if (drop <= 0) return;
    this.#history.copyWithin(0, drop, this.#held);
    this.#held -= drop;
    this.#offset += drop;
  }
}

/** The filter at every phase of an output between two inputs. */
interface FilterTable {
  /** Inputs that an output is made of. */
  readonly taps: number;
  /** Of these, how many lie before the input at or before the output's time. */
  readonly before: number;
  /** Phases between two inputs. */
  readonly resolution: number;
  /** F64 [resolution + 1, taps]; each row sums to 1, so that a constant stays exactly itself. */
  readonly coefficients: Float64Array<ArrayBuffer>;
}

function filterTable(rate: number, phases: number): FilterTable {
  const nyquist = Math.min(rate, SAMPLE_RATE) / 2 / rate; // of the lower rate, as a fraction of the input's
  const halfWidth = kaiserHalfWidth(nyquist * (1 - PASS_BAND));
  const cutoff = nyquist * (1 + PASS_BAND) / 2;
  const before = Math.ceil(halfWidth) - 1;
  const taps = Math.ceil((2 * before + 2) / 4) * 4; // for the unrolled product
  const resolution = Math.min(phases, MAX_PHASES);
  const coefficients = new Float64Array((resolution + 1) * taps);
  for (let row = 0; row <= resolution; row++) {
    const filter = coefficients.subarray(row * taps, (row + 1) * taps);
    let sum = 0;
    for (let tap = 0; tap < taps; tap++) {
      sum += filter[tap] = windowedSinc(tap - before - row / resolution, cutoff, halfWidth);
    }
    for (let tap = 0; tap < taps; tap++) filter[tap] /= sum;
  }
  return { taps, before, resolution, coefficients };
}

/** Four sums, because one would wait for each addition: about twice as fast. */
function dot(x: Float64Array, i: number, y: Float64Array, j: number, count: number): number {
  let a = 0, b = 0, c = 0, d = 0;
  for (const end = i + count; i < end; i += 4, j += 4) {
    a += x[i] * y[j];
    b += x[i + 1] * y[j + 1];
    c += x[i + 2] * y[j + 2];
    d += x[i + 3] * y[j + 3];
  }
  return (a + b) + (c + d);
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

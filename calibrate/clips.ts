/**
 * Windows of audio that a calibration is chosen by and judged on: recordings as they are, the same in noise and in
 * silence, and noise and silence alone. All that is made is the same in every run.
 *
 * @module
 */

import { loadAudio } from "../audio/mod.ts";
import type { Device } from "../kernels/device.ts";
import { logMel, N_SAMPLES, SAMPLE_RATE } from "../mel/mod.ts";
import { type NoiseColour, noiseOf } from "./noise.ts";

/** What is heard in a clip. */
export type ClipKind = "recording" | "speech in noise" | "speech in silence" | "noise" | "silence";

/** A window to encode. */
export interface Clip {
  /** Such as `09_long, white noise at 10 dB`. */
  readonly name: string;
  readonly kind: ClipKind;
  /** Whether nothing may be chosen by it. */
  readonly heldOut: boolean;
  /** F32 [bands, frames]. */
  readonly logMel: Float32Array<ArrayBuffer>;
}

/** A recording to make clips of: a path, or samples (F32, 16 kHz) and their name. */
export interface Recording {
  readonly name: string;
  readonly samples: Float32Array<ArrayBuffer>;
}

/** The made part of a clip, different for clips that choose and clips that judge. */
interface Surroundings {
  /** Colour, and how many dB the speech is louder. */
  readonly noises: readonly (readonly [NoiseColour, number])[];
  /** Seconds of speech, and amplitude of the near silence around them. */
  readonly islands: readonly (readonly [number, number])[];
  /** Noise alone: colour and amplitude. */
  readonly alone: readonly (readonly [NoiseColour, number])[];
  /** Amplitudes of silence: 0 is digital. */
  readonly silences: readonly number[];
  readonly seed: number;
}

/** Amplitude of a 16-bit recording's last bits. */
const DITHER = 1 / 2 ** 15;

const CHOSEN_BY: Surroundings = {
  noises: [["white", 10], ["pink", 5]],
  islands: [[3, 1e-4], [5, 0]],
  alone: [["white", 0.03], ["pink", 0.1]],
  silences: [1e-4],
  seed: 0x9e3779b9,
};

const JUDGED_ON: Surroundings = {
  noises: [["brown", 5], ["white", 15]],
  islands: [[2, DITHER], [4, 1e-3]],
  alone: [["brown", 0.1], ["white", 0.01]],
  silences: [DITHER],
  seed: 0x2545f491,
};

/** How clips are made of recordings. */
export interface ClipOptions {
  readonly device: Device;
  /** Mel bands. */
  readonly bands: number;
  readonly heldOut: boolean;
  /** Most recordings as they are, and most mixtures of a kind. */
  readonly most: number;
}

/**
 * The first `most` recordings as they are, others in noise and in silence as far as they go round, and noise and silence.
 *
 * @param recordings At least one.
 */
export async function clipsOf(recordings: readonly Recording[], options: ClipOptions): Promise<Clip[]> {
  const { device, bands, heldOut, most } = options;
  const { noises, islands, alone, silences, seed } = heldOut ? JUDGED_ON : CHOSEN_BY;
  const made: { name: string; kind: ClipKind; samples: Float32Array<ArrayBuffer> }[] = [];
  // Others are mixed than stand alone, where there are enough.
  const other = (i: number) => recordings[(most + i) % recordings.length];
  for (const { name, samples } of recordings.slice(0, most)) {
    made.push({ name, kind: "recording", samples: fill(samples) });
  }
  for (const [i, [colour, decibels]] of noises.slice(0, most).entries()) {
    const { name, samples } = other(i);
    made.push({
      name: `${name}, ${colour} noise at ${decibels} dB`,
      kind: "speech in noise",
      samples: inNoise(samples, noiseOf(N_SAMPLES, colour, seed + i), decibels),
    });
  }
  for (const [i, [seconds, amplitude]] of islands.slice(0, most).entries()) {
    const { name, samples } = other(i + 1);
    const around = scaled(noiseOf(N_SAMPLES, "white", seed + i), amplitude);
    loudest(samples, seconds * SAMPLE_RATE).forEach((value, k) => around[10 * SAMPLE_RATE + k] += value);
    made.push({ name: `${seconds} s of ${name}`, kind: "speech in silence", samples: around });
  }
  for (const [i, [colour, amplitude]] of alone.slice(0, most).entries()) {
    const samples = scaled(noiseOf(N_SAMPLES, colour, seed + 10 + i), amplitude);
    made.push({ name: `${colour} noise`, kind: "noise", samples });
  }
  for (const amplitude of silences) {
    const samples = scaled(noiseOf(N_SAMPLES, "white", seed + 20), amplitude);
    made.push({ name: `noise of ${amplitude.toExponential(0)}`, kind: "silence", samples });
  }
  return await Promise.all(made.map(async ({ name, kind, samples }) => ({
    name,
    kind,
    heldOut,
    logMel: (await logMel(samples, { device, bands })).data,
  })));
}

/** A recording's 30 s from its start, silence behind it. */
export async function readRecording(path: string, name: string): Promise<Recording> {
  return { name, samples: fill(await loadAudio(path)) };
}

function fill(samples: Float32Array): Float32Array<ArrayBuffer> {
  const window = new Float32Array(N_SAMPLES);
  window.set(samples.subarray(0, N_SAMPLES));
  return window;
}

function scaled(samples: Float32Array<ArrayBuffer>, factor: number): Float32Array<ArrayBuffer> {
  return samples.map((value) => value * factor);
}

/** Speech and noise, the speech so much louder where it is loud. */
function inNoise(
  speech: Float32Array,
  noise: Float32Array<ArrayBuffer>,
  decibels: number,
): Float32Array<ArrayBuffer> {
  const second = rootMeanSquare(loudest(speech, SAMPLE_RATE));
  const factor = (second || DITHER) / rootMeanSquare(noise) / 10 ** (decibels / 20);
  return noise.map((value, i) => value * factor + (speech[i] ?? 0));
}

/** The loudest stretch of so many samples, found to half its length. */
function loudest(samples: Float32Array, length: number): Float32Array {
  const step = Math.max(1, Math.floor(length / 2));
  let best = samples.subarray(0, length);
  for (let begin = step; begin + length <= samples.length; begin += step) {
    const stretch = samples.subarray(begin, begin + length);
    if (rootMeanSquare(stretch) > rootMeanSquare(best)) best = stretch;
  }
  return best;
}

function rootMeanSquare(samples: Float32Array): number {
  return Math.sqrt(samples.reduce((sum, value) => sum + value * value, 0) / samples.length);
}

/**
 * Recordings that a precision is judged on besides the one with a golden result: none is used to choose a precision's
 * policy, and each strains it in another way.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { loadAudio } from "../audio/mod.ts";
import { logMel, padOrTrim, SAMPLE_RATE } from "../mel/mod.ts";
import type { Device } from "../kernels/device.ts";

/** A window to encode. */
export interface Clip {
  readonly name: string;
  /** F32 [bands, frames]. */
  readonly logMel: Float32Array<ArrayBuffer>;
}

/** Amplitude of the noise: 30 dB under full scale. */
const NOISE = 0.03;

/** Seconds of speech that stand in a window of near silence, and the silence's amplitude. */
const ISLAND_SECONDS = 3;
const SILENCE = 1e-4;

/** −1…1, the same in every run: xorshift32 (Marsaglia 2003). */
function noiseOf(length: number, amplitude: number): Float32Array<ArrayBuffer> {
  let state = 0x9e3779b9;
  return Float32Array.from({ length }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return amplitude * (state | 0) / 2 ** 31;
  });
}

/**
 * Another voice (30 s of dense synthetic speech), `samples` in noise, and 3 s of them in a window of near silence.
 *
 * @param samples F32, 16 kHz.
 */
export async function strainingClips(device: Device, bands: number, samples: Float32Array): Promise<Clip[]> {
  const dense = fileURLToPath(new URL("../models/demo/audio/09_long.wav", import.meta.url));
  const noisy = noiseOf(30 * SAMPLE_RATE, NOISE);
  samples.subarray(0, noisy.length).forEach((value, i) => noisy[i] += value);
  const island = noiseOf(30 * SAMPLE_RATE, SILENCE);
  samples.subarray(0, ISLAND_SECONDS * SAMPLE_RATE).forEach((value, i) =>
    island[10 * SAMPLE_RATE + i] += value
  );
  const clips: readonly (readonly [string, Float32Array])[] = [
    ["dense speech of another voice", await loadAudio(dense)],
    ["in noise", noisy],
    ["3 s in silence", island],
  ];
  return await Promise.all(clips.map(async ([name, audio]) => ({
    name,
    logMel: (await logMel(padOrTrim(audio), { device, bands })).data,
  })));
}

/** The recordings that the files of tests/data/audio were made of, and how near a decoded file comes to them. */

import { PROJECT_ROOT } from "../support/shared_data.ts";
import { decodeWav } from "../../audio/wav.ts";

/** The path of a file in tests/data/audio. */
export function dataPath(name: string): string {
  return new URL(`tests/data/audio/${name}`, PROJECT_ROOT).pathname;
}

/** `speech.*`: 0.8 s from 0.5 s on of the bundled 01_command.wav. F32 [12800], 16 kHz. */
export async function speech(): Promise<Float32Array> {
  const { channels } = await decodeWav(
    await Deno.readFile(new URL("models/demo/audio/01_command.wav", PROJECT_ROOT)),
  );
  return channels[0].subarray(8000, 20_800);
}

/**
 * `sweep.*`: half a second of 44.1 kHz stereo, 200 Hz rising to 1 kHz; the right channel is half as loud.
 * Computed here at 16 kHz, mixed: F32 [8000].
 */
export function sweep(): Float32Array {
  return Float32Array.from({ length: 8000 }, (_, n) => {
    const t = n / 16_000;
    return 0.3 * Math.sin(2 * Math.PI * (200 * t + 800 * t * t));
  });
}

/** How much later `samples` are than `reference`, in seconds: the peak of their cross-correlation, interpolated. */
export function delaySeconds(samples: Float32Array, reference: Float32Array): number {
  const MAX_LAG = 1000;
  const correlation = Float64Array.from({ length: 2 * MAX_LAG + 1 }, (_, i) => {
    const lag = i - MAX_LAG;
    let sum = 0;
    const end = Math.min(reference.length, samples.length - lag);
    for (let n = Math.max(0, -lag); n < end; n++) sum += reference[n] * samples[n + lag];
    return sum;
  });
  const peak = correlation.indexOf(Math.max(...correlation));
  const [before, at, after] = correlation.subarray(peak - 1, peak + 2);
  return (peak - MAX_LAG + (before - after) / (2 * (before - 2 * at + after))) / 16_000;
}

/** Signal to noise, in decibels, over the length both have. */
export function signalToNoise(samples: Float32Array, reference: Float32Array): number {
  let signal = 0, noise = 0;
  for (let n = 0; n < Math.min(samples.length, reference.length); n++) {
    signal += reference[n] ** 2;
    noise += (samples[n] - reference[n]) ** 2;
  }
  return 10 * Math.log10(signal / noise);
}

/**
 * Refuses samples that are not numbers a model can be given.
 *
 * @module
 */

import { SottoError } from "../errors.ts";
import type { NativeAudio } from "./types.ts";

/** The largest sample: full scale of 32-bit integers that someone forgot to divide. More has overflowed. */
const LARGEST = 2 ** 31;

/**
 * Passes the chunks on while all samples are finite and within ±2^31. After the first that is not, reads on
 * to count them all.
 *
 * @throws {SottoError} E_AUDIO_VALUES with their number and the time of the first.
 */
export async function* refuseNonFinite(
  audio: NativeAudio,
  name: string,
): AsyncGenerator<Float32Array<ArrayBuffer>, void, void> {
  let seen = 0;
  let refused = 0;
  let first = -1;
  for await (const chunk of audio.chunks) {
    for (let i = 0; i < chunk.length; i++) {
      if (Math.abs(chunk[i]) <= LARGEST) continue; // false for NaN
      if (first < 0) first = seen + i;
      refused++;
    }
    seen += chunk.length;
    if (refused === 0) yield chunk;
  }
  if (refused === 0) return;
  const where = `first at ${(first / audio.rate).toFixed(2)} s`;
  throw new SottoError(
    "E_AUDIO_VALUES",
    `Cannot use ${name} because samples must be finite and within ±2^31: got ${refused} non-finite samples, ${where}`,
    { hint: "Full scale of float samples is ±1. Export the recording again." },
  );
}

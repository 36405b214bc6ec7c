/**
 * Recordings put together of bundled ones, silence, noise and tones; the same on every machine.
 */

import { readFile } from "node:fs/promises";
import { recording } from "../support/command.ts";

/** Samples a second. */
export const RATE = 16_000;

/** The samples of a bundled recording: 16-bit mono WAV with a plain 44-byte header. */
export async function bundled(name: string): Promise<Float32Array<ArrayBuffer>> {
  const bytes = new Uint8Array(await readFile(recording(name)));
  return Float32Array.from(new Int16Array(bytes.buffer, 44), (sample) => sample / 32768);
}

/** Seconds of digital silence. */
export const silence = (seconds: number): Float32Array<ArrayBuffer> =>
  new Float32Array(Math.round(seconds * RATE));

/** Seconds of noise, nearly normal with this standard deviation. */
export function noise(seconds: number, deviation: number): Float32Array<ArrayBuffer> {
  let state = 1;
  const draw = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return (state >>> 0) / 2 ** 32 - 0.5;
  };
  // The sum of 12 even draws of width 1 has a deviation of 1.
  return silence(seconds).map(() => {
    let sum = 0;
    for (let i = 0; i < 12; i++) sum += draw();
    return sum * deviation;
  });
}

/** Seconds of a tone. */
export const tone = (seconds: number, hertz: number, amplitude = 0.3): Float32Array<ArrayBuffer> =>
  silence(seconds).map((_, i) => amplitude * Math.sin(2 * Math.PI * hertz * i / RATE));

/** One after the other. */
export function joined(...parts: readonly Float32Array[]): Float32Array<ArrayBuffer> {
  const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Part of a recording. */
export const cut = (
  samples: Float32Array<ArrayBuffer>,
  from: number,
  to: number,
): Float32Array<ArrayBuffer> => samples.slice(Math.round(from * RATE), Math.round(to * RATE));

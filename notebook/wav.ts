/**
 * Samples as the bytes of a WAV file, for audio players.
 *
 * @module
 */

import { SAMPLE_RATE } from "../mel/constants.ts";

const HEADER_BYTES = 44;
const PCM = 1;

/**
 * Writes 16-bit PCM.
 *
 * @param samples F32, 16 kHz, one channel; values outside −1…1 are clipped.
 */
export function wavBytes(samples: Float32Array): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(HEADER_BYTES + 2 * samples.length));
  const text = (at: number, name: string) =>
    [...name].forEach((letter, i) => view.setUint8(at + i, letter.charCodeAt(0)));
  text(0, "RIFF");
  view.setUint32(4, view.byteLength - 8, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, PCM, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, SAMPLE_RATE, true);
  view.setUint32(28, 2 * SAMPLE_RATE, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  text(36, "data");
  view.setUint32(40, 2 * samples.length, true);
  samples.forEach((sample, i) => {
    view.setInt16(HEADER_BYTES + 2 * i, Math.round(32767 * Math.min(1, Math.max(-1, sample))), true);
  });
  return new Uint8Array(view.buffer);
}

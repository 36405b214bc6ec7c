/**
 * Speech of any length, put together of the bundled recordings in varied order, loudness and pauses.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { SAMPLE_RATE } from "../mel/mod.ts";

/** English recordings of the demo model: PCM16, 16 kHz, mono, with a plain header. */
const RECORDINGS: readonly string[] = ["01_command", "08_commands", "09_long"];
const HEADER_BYTES = 44;

/** Pauses between recordings, in seconds, and how much softer than it is a recording may be. */
const LONGEST_PAUSE = 3;
const SOFTEST = 0.4;

/** 0…1, the same in every run: xorshift32 (Marsaglia 2003). */
function draws(): () => number {
  let state = 0x9e3779b9;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** Writes a WAV file of that many seconds, piece by piece; the same bytes in every run. */
export async function syntheticRecording(path: string, seconds: number): Promise<void> {
  const files = await Promise.all(RECORDINGS.map(async (name) => {
    const url = new URL(`../models/demo/audio/${name}.wav`, import.meta.url);
    return await Deno.readFile(fileURLToPath(url));
  }));
  const clips = files.map((bytes) => new Int16Array(bytes.slice(HEADER_BYTES).buffer));
  const header = files[0].slice(0, HEADER_BYTES);
  const view = new DataView(header.buffer);
  const samples = Math.round(seconds * SAMPLE_RATE);
  view.setUint32(4, HEADER_BYTES - 8 + 2 * samples, true);
  view.setUint32(HEADER_BYTES - 4, 2 * samples, true);
  using file = await Deno.open(path, { write: true, create: true, truncate: true });
  const writer = file.writable.getWriter();
  await writer.write(header);
  const draw = draws();
  for (let left = samples; left > 0;) {
    const clip = clips[Math.floor(draw() * clips.length)];
    const gain = SOFTEST + (1 - SOFTEST) * draw();
    const pause = Math.round(LONGEST_PAUSE * draw() * SAMPLE_RATE);
    const piece = new Int16Array(clip.length + pause);
    piece.set(clip.map((sample) => Math.round(sample * gain)));
    const part = piece.subarray(0, left);
    await writer.write(new Uint8Array(part.buffer, 0, part.byteLength));
    left -= part.length;
  }
  await writer.close();
}

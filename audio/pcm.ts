/**
 * Stored samples to Float32, full scale ±1, and several channels to one.
 *
 * @module
 */

import { SAMPLE_BYTES, type WavEncoding } from "./wav_header.ts";

/** Reads the sample at a byte offset. */
type SampleReader = (view: DataView, offset: number, littleEndian: boolean) => number;

/**
 * Integers are divided by 2^(bits − 1), as openai-whisper does for 16 bits: −1 is reached, +1 is not.
 * Shifting to the top of 32 bits extends the sign of 24 bits.
 */
const READERS: Readonly<Record<WavEncoding, SampleReader>> = {
  u8: (view, offset) => (view.getUint8(offset) - 128) / 128,
  s16: (view, offset, littleEndian) => view.getInt16(offset, littleEndian) / 32_768,
  s24: (view, offset, littleEndian) => {
    const low = view.getUint8(littleEndian ? offset : offset + 2);
    const high = view.getInt16(littleEndian ? offset + 1 : offset, littleEndian);
    return (high * 256 + low) / 8_388_608;
  },
  s32: (view, offset, littleEndian) => view.getInt32(offset, littleEndian) / 2_147_483_648,
  f32: (view, offset, littleEndian) => view.getFloat32(offset, littleEndian),
  f64: (view, offset, littleEndian) => view.getFloat64(offset, littleEndian),
  alaw: (view, offset) => ALAW_LEVELS[view.getUint8(offset)],
  mulaw: (view, offset) => MULAW_LEVELS[view.getUint8(offset)],
};

/** How the samples of a block lie: frame after frame, the channels of a frame side by side. */
export interface PcmLayout {
  readonly encoding: WavEncoding;
  readonly channels: number;
  readonly littleEndian: boolean;
}

/**
 * Decodes whole frames and mixes each to the mean of its channels.
 *
 * @param bytes U8 [frames × channels × sample bytes], interleaved.
 * @returns F32 [frames].
 */
export function decodeMono(bytes: Uint8Array, layout: PcmLayout): Float32Array<ArrayBuffer> {
  const { encoding, channels, littleEndian } = layout;
  if (encoding === "s16" && channels === 1 && littleEndian && IS_LITTLE_ENDIAN) return plain(bytes);
  const read = READERS[encoding];
  const step = SAMPLE_BYTES[encoding];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const mono = new Float32Array(Math.floor(bytes.length / (step * channels)));
  for (let frame = 0, offset = 0; frame < mono.length; frame++) {
    let sum = 0;
    for (let channel = 0; channel < channels; channel++, offset += step) {
      sum += read(view, offset, littleEndian);
    }
    mono[frame] = sum / channels;
  }
  return mono;
}

/** Whether this processor stores numbers as most files do. */
const IS_LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** What nearly all recordings of speech are, five times as fast. */
function plain(bytes: Uint8Array): Float32Array<ArrayBuffer> {
  const aligned = bytes.byteOffset % 2 === 0 ? bytes : bytes.slice();
  const words = new Int16Array(aligned.buffer, aligned.byteOffset, bytes.length >> 1);
  const mono = new Float32Array(words.length);
  for (let i = 0; i < words.length; i++) mono[i] = words[i] / 32_768;
  return mono;
}

/**
 * Decodes whole frames, one array per channel.
 *
 * @param bytes U8 [frames × channels × sample bytes], interleaved.
 * @returns channels × F32 [frames].
 */
export function decodeChannels(bytes: Uint8Array, layout: PcmLayout): Float32Array<ArrayBuffer>[] {
  const { encoding, channels, littleEndian } = layout;
  const read = READERS[encoding];
  const step = SAMPLE_BYTES[encoding];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const frames = Math.floor(bytes.length / (step * channels));
  return Array.from({ length: channels }, (_, channel) => {
    const samples = new Float32Array(frames);
    for (let frame = 0; frame < frames; frame++) {
      samples[frame] = read(view, (frame * channels + channel) * step, littleEndian);
    }
    return samples;
  });
}

/**
 * A-law (ITU-T G.711, table 1): even bits inverted; sign (1 = positive), 3 bits of segment, 4 bits of step.
 * Levels are in 16-bit scale, the middle of each step.
 */
const ALAW_LEVELS: Float32Array = Float32Array.from({ length: 256 }, (_, code) => {
  const bits = code ^ 0x55;
  const segment = (bits >> 4) & 7;
  const step = ((bits & 15) << 4) + 8;
  const level = segment === 0 ? step : (step + 256) << (segment - 1);
  return (bits & 0x80 ? level : -level) / 32_768;
});

/** µ-law (ITU-T G.711, table 2): all bits inverted; sign (1 = negative), segment, step; biased by 33 × 4. */
const MULAW_LEVELS: Float32Array = Float32Array.from({ length: 256 }, (_, code) => {
  const bits = ~code;
  const segment = (bits >> 4) & 7;
  const level = ((((bits & 15) << 3) + 132) << segment) - 132;
  return (bits & 0x80 ? -level : level) / 32_768;
});

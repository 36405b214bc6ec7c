/**
 * WAV files: as a stream for the rest of this folder, or whole with {@linkcode decodeWav}.
 *
 * @example
 * ```ts ignore
 * import { decodeWav } from "@std/wav";
 * const { sampleRate, channels } = await decodeWav(await Deno.readFile("speech.wav"));
 * ```
 *
 * @module
 */

import { SottoError, type WarningSink } from "../errors.ts";
import { type ByteReader, MemorySource } from "./byte_reader.ts";
import { decodeChannels, decodeMono } from "./pcm.ts";
import type { AudioInfo, NativeAudio } from "./types.ts";
import { readWavHeader, SAMPLE_BYTES, type WavEncoding, type WavHeader } from "./wav_header.ts";

export type { WavEncoding };

/** A WAV file whole. */
export interface WavAudio {
  /** Samples a second, 4,000 to 384,000. */
  readonly sampleRate: number;
  /** How the samples were stored. */
  readonly encoding: WavEncoding;
  /** 1 to 8 × F32 [frames], full scale ±1. Samples of float files come as they are, even if not finite. */
  readonly channels: readonly Float32Array<ArrayBuffer>[];
}

/**
 * Decodes a WAV file at its own rate, its channels apart.
 *
 * @param bytes The file: PCM of 8, 16, 24 or 32 bits, float of 32 or 64, A-law or µ-law.
 * @param onWarning Receives W_LENGTH where the header's length is absent or wrong.
 * @throws {SottoError} E_AUDIO_FORMAT if it is not such a file.
 */
export async function decodeWav(bytes: Uint8Array, onWarning?: WarningSink): Promise<WavAudio> {
  using reader = await new MemorySource(bytes, "the bytes given").open();
  const header = await readWavHeader(reader);
  const { encoding, sampleRate, littleEndian } = header;
  if (encoding === null) throw compressed(reader.name, header);
  warnOfLength(reader.name, header, onWarning);
  const data = bytes.subarray(reader.position, reader.position + header.dataLength);
  return {
    sampleRate,
    encoding,
    channels: decodeChannels(data, { encoding, channels: header.channels, littleEndian }),
  };
}

/** Bytes read at once: about a second of 44.1 kHz stereo, and no more for any header. */
const BLOCK_BYTES = 1 << 18;

/**
 * A WAV file as a stream at its own rate, mixed to one channel.
 *
 * @param reader At the first byte.
 * @returns Null where the samples are compressed, which is for another decoder.
 * @throws {SottoError} E_AUDIO_FORMAT if the header is malformed.
 */
export async function openWav(reader: ByteReader, warn: WarningSink): Promise<NativeAudio | null> {
  const header = await readWavHeader(reader);
  const { encoding, channels, littleEndian, sampleRate } = header;
  if (encoding === null) return null;
  warnOfLength(reader.name, header, warn);
  const frameBytes = channels * SAMPLE_BYTES[encoding];
  async function* chunks() {
    const blockBytes = BLOCK_BYTES - BLOCK_BYTES % frameBytes;
    for (let left = header.dataLength; left > 0;) {
      const block = await reader.read(Math.min(left, blockBytes));
      if (block.length === 0) return; // the file shrank while it was read
      left -= block.length;
      yield decodeMono(block, { encoding: encoding!, channels, littleEndian });
    }
  }
  return { info: describe(header, frameBytes), rate: sampleRate, chunks: { [Symbol.asyncIterator]: chunks } };
}

const CODEC_NAMES: Readonly<Record<WavEncoding, string>> = {
  u8: "PCM u8",
  s16: "PCM s16",
  s24: "PCM s24",
  s32: "PCM s32",
  f32: "float 32",
  f64: "float 64",
  alaw: "A-law",
  mulaw: "µ-law",
};

function describe(header: WavHeader, frameBytes: number): AudioInfo {
  const { container, encoding, sampleRate, channels, dataLength } = header;
  const durationSeconds = dataLength / frameBytes / sampleRate;
  return { container, codec: CODEC_NAMES[encoding!], sampleRate, channels, durationSeconds };
}

function warnOfLength(name: string, header: WavHeader, warn?: WarningSink): void {
  if (header.lengthProblem !== null) {
    warn?.({ code: "W_LENGTH", message: `${name}: ${header.lengthProblem}` });
  }
}

function compressed(name: string, header: WavHeader): SottoError {
  const tag = `0x${header.formatTag.toString(16).padStart(4, "0")}`;
  return new SottoError(
    "E_AUDIO_FORMAT",
    `Cannot decode ${name} because its samples must be PCM, float or G.711: got format ${tag}`,
  );
}

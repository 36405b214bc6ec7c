/**
 * FLAC: metadata is read and frames are found and verified here; the decoder gets only whole frames.
 *
 * Layout: RFC 9639, sections 8.1 and 8.2.
 *
 * @module
 */

import { SottoError } from "../errors.ts";
import type { ByteReader } from "./byte_reader.ts";
import { type CompressedAudio, secondsOf } from "./compressed.ts";
import { flacFrameLength, parseFlacFrame } from "./flac_frame.ts";
import { MAX_CHANNELS, MAX_SAMPLE_RATE, MIN_SAMPLE_RATE, type ReadContext } from "./types.ts";
import { type Piece, undecodable } from "./worker_decoder.ts";

const STREAMINFO_BYTES = 34;
const LAST_BLOCK = 0x80;

/** What STREAMINFO says. */
export interface FlacStreamInfo {
  /** Samples a second. */
  readonly sampleRate: number;
  readonly channels: number;
  readonly bitsPerSample: number;
  /** Samples of each channel; 0 where the encoder did not know. */
  readonly totalSamples: number;
}

/**
 * Reads the 34 bytes of a STREAMINFO block.
 *
 * @throws {SottoError} E_AUDIO_FORMAT where a value is out of range.
 */
export function parseStreamInfo(block: Uint8Array, name: string): FlacStreamInfo {
  const sampleRate = block[10] << 12 | block[11] << 4 | block[12] >> 4;
  const channels = (block[12] >> 1 & 7) + 1; // never more than MAX_CHANNELS
  const bitsPerSample = ((block[12] & 1) << 4 | block[13] >> 4) + 1;
  const totalSamples = (block[13] & 15) * 2 ** 32 +
    new DataView(block.buffer, block.byteOffset).getUint32(14);
  if (sampleRate < MIN_SAMPLE_RATE || sampleRate > MAX_SAMPLE_RATE) {
    const range = `${MIN_SAMPLE_RATE} to ${MAX_SAMPLE_RATE} Hz`;
    throw malformed(name, `the sample rate must be ${range}: got ${sampleRate}`);
  }
  return { sampleRate, channels, bitsPerSample, totalSamples };
}

/** The decoder divides integers by 2^(bits − 1) − 1, WAV and Whisper by 2^(bits − 1): this makes them equal. */
export function flacGain(bitsPerSample: number): number {
  return 1 - 2 ** (1 - bitsPerSample);
}

/** Samples to hand to the decoder at once: silence packs hours into a few bytes, so bytes would not bound them. */
const PIECE_SAMPLES = 1 << 18;
/** Bytes of a frame at most: 65,535 samples of 8 channels, uncompressed at 32 bits, with a little to spare. */
const MAX_FRAME_BYTES = 65_536 * MAX_CHANNELS * 4 + 1024;
const FIRST_PEEK_BYTES = 1 << 16;

/**
 * Opens a FLAC stream.
 *
 * @param reader At the "fLaC" mark.
 * @throws {SottoError} E_AUDIO_FORMAT if the metadata is malformed.
 */
export async function openFlac(reader: ByteReader, context: ReadContext): Promise<CompressedAudio> {
  const { name } = reader;
  const head = await readMetadata(reader);
  const { sampleRate, channels, bitsPerSample, totalSamples } = parseStreamInfo(head.subarray(4), name);
  let fed = 0; // samples in the frames handed over
  let cut = false;

  async function* pieces(): AsyncGenerator<Piece, void, void> {
    let frames: Uint8Array[] = [mainHeader(head)];
    let pieceSamples = 0;
    for (let frame = 0; !await isAtEnd(reader); frame++) {
      const found = await readFrame(reader);
      if (found === null) {
        if (!await isLastFrame(reader)) {
          throw undecodable(
            name,
            `frame ${frame}, at ${(fed / sampleRate).toFixed(1)} s, has a wrong checksum`,
          );
        }
        cut = true;
        break;
      }
      frames.push(found.bytes);
      pieceSamples += found.samples;
      fed += found.samples;
      if (pieceSamples < PIECE_SAMPLES) continue;
      yield frames;
      frames = [];
      pieceSamples = 0;
    }
    if (pieceSamples > 0) yield frames;
  }

  function finish(decoded: number): void {
    if (decoded !== fed) {
      throw undecodable(name, `its frames hold ${fed} samples: the decoder gave ${decoded}`);
    }
    if (!cut && (totalSamples === 0 || decoded === totalSamples)) return;
    if (decoded > totalSamples && totalSamples > 0) {
      throw undecodable(name, `its header says ${totalSamples} samples: got ${decoded}`);
    }
    const what = totalSamples > 0
      ? secondsOf(decoded, totalSamples, sampleRate)
      : `decoded ${(decoded / sampleRate).toFixed(1)} s, and the last frame is cut`;
    context.warn({ code: "W_TRUNCATED", message: `${name} is cut short: ${what}` });
  }

  const durationSeconds = totalSamples > 0 ? totalSamples / sampleRate : null;
  const info = {
    container: "FLAC",
    codec: `FLAC ${bitsPerSample} bit`,
    sampleRate,
    channels,
    durationSeconds,
  };
  return {
    info,
    sampleRate,
    decoder: "flac",
    skipSamples: 0,
    gain: flacGain(bitsPerSample),
    pieces,
    endSample: () => Infinity,
    finish,
  };
}

/** Reads everything before the first frame; gives the first block, the one that tells what the stream is. */
async function readMetadata(reader: ByteReader): Promise<Uint8Array> {
  const { name } = reader;
  await reader.skip(4);
  const head = (await reader.read(4 + STREAMINFO_BYTES)).slice();
  if (head.length < 4 + STREAMINFO_BYTES) throw malformed(name, "it ends inside its header");
  const length = blockLength(head);
  if ((head[0] & 0x7f) !== 0 || length !== STREAMINFO_BYTES) {
    throw malformed(
      name,
      `the first block must be STREAMINFO of 34 bytes: got type ${head[0] & 0x7f} of ${length}`,
    );
  }
  for (let last = (head[0] & LAST_BLOCK) !== 0; !last;) {
    const block = await reader.read(4);
    if (block.length < 4) throw malformed(name, "it ends inside its header");
    last = (block[0] & LAST_BLOCK) !== 0;
    await reader.skip(blockLength(block)); // tags and cover art
  }
  return head;
}

/** Reads one frame, or nothing where no frame begins here or its checksum fits nowhere. */
async function readFrame(reader: ByteReader): Promise<{ bytes: Uint8Array; samples: number } | null> {
  for (let peekBytes = FIRST_PEEK_BYTES;; peekBytes *= 4) {
    const bytes = await reader.peek(Math.min(peekBytes, MAX_FRAME_BYTES));
    const header = parseFlacFrame(bytes, 0);
    if (header === null) return null;
    const atEnd = reader.position + bytes.length >= reader.size;
    const sound = atEnd && isId3v1(bytes, bytes.length - ID3V1_BYTES)
      ? bytes.subarray(0, -ID3V1_BYTES)
      : bytes;
    const length = flacFrameLength(sound, header, atEnd);
    if (length > 0) return { bytes: (await reader.read(length)).slice(), samples: header.samples };
    if (bytes.length < peekBytes) return null; // the end, or no frame is that long
  }
}

const ID3V1_BYTES = 128;

/** A tag that does not belong behind FLAC, but is found there. */
function isId3v1(bytes: Uint8Array, at: number): boolean {
  return at >= 0 && bytes[at] === 0x54 && bytes[at + 1] === 0x41 && bytes[at + 2] === 0x47; // TAG
}

async function isAtEnd(reader: ByteReader): Promise<boolean> {
  const left = reader.size - reader.position;
  return left <= 0 || (left === ID3V1_BYTES && isId3v1(await reader.peek(3), 0));
}

/** Whether no frame begins after this one: then the file was cut, else it is damaged in the middle. */
async function isLastFrame(reader: ByteReader): Promise<boolean> {
  const bytes = await reader.peek(MAX_FRAME_BYTES);
  if (parseFlacFrame(bytes, 0) === null) return false;
  for (let at = bytes.indexOf(0xff, 2); at >= 0; at = bytes.indexOf(0xff, at + 1)) {
    if (parseFlacFrame(bytes, at) !== null) return false;
  }
  return reader.position + bytes.length >= reader.size;
}

/** The start of the file as if it had no metadata but STREAMINFO. */
function mainHeader(streamInfoBlock: Uint8Array): Uint8Array {
  const header = new Uint8Array(4 + streamInfoBlock.length);
  header.set([0x66, 0x4c, 0x61, 0x43]); // fLaC
  header.set(streamInfoBlock, 4);
  header[4] = LAST_BLOCK;
  return header;
}

function blockLength(block: Uint8Array): number {
  return block[1] << 16 | block[2] << 8 | block[3];
}

function malformed(name: string, rule: string): SottoError {
  return new SottoError("E_AUDIO_FORMAT", `Cannot read ${name} as FLAC because ${rule}`, {
    hint: "Get or export the recording again.",
  });
}

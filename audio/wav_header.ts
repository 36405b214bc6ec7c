/**
 * The header of a WAV file: RIFF, big-endian RIFX, and RF64/BW64 beyond 4 GiB.
 *
 * Layouts: Microsoft "Multimedia Programming Interface and Data Specifications 1.0" (RIFF, fmt),
 * mmreg.h (WAVEFORMATEXTENSIBLE), EBU Tech 3306 and ITU-R BS.2088 (RF64, BW64, ds64).
 *
 * @module
 */

import { SottoError } from "../errors.ts";
import type { ByteReader } from "./byte_reader.ts";
import { MAX_CHANNELS, MAX_SAMPLE_RATE, MIN_SAMPLE_RATE } from "./types.ts";

/** How a sample is stored: unsigned, signed and float by bits, and the two companded forms of G.711. */
export type WavEncoding = "u8" | "s16" | "s24" | "s32" | "f32" | "f64" | "alaw" | "mulaw";

/** Bytes of one sample of one channel. */
export const SAMPLE_BYTES: Readonly<Record<WavEncoding, number>> = {
  u8: 1,
  alaw: 1,
  mulaw: 1,
  s16: 2,
  s24: 3,
  s32: 4,
  f32: 4,
  f64: 8,
};

/** What the chunks before the samples say. */
export interface WavHeader {
  readonly container: "WAV" | "RIFX" | "RF64" | "BW64";
  readonly littleEndian: boolean;
  /** The format tag; of WAVE_FORMAT_EXTENSIBLE, that of its sub-format. */
  readonly formatTag: number;
  /** Null for a compressed format, of which the fields below say nothing reliable. */
  readonly encoding: WavEncoding | null;
  readonly sampleRate: number;
  readonly channels: number;
  /** Bytes of the samples, a whole number of frames. */
  readonly dataLength: number;
  /** What is wrong with the length the header gives, or null. */
  readonly lengthProblem: string | null;
}

const PCM = 0x0001, IEEE_FLOAT = 0x0003, ALAW = 0x0006, MULAW = 0x0007, EXTENSIBLE = 0xfffe;

/** Bytes 2 to 15 of a sub-format that stands for a format tag: {0000xxxx-0000-0010-8000-00AA00389B71}. */
const SUBFORMAT_TAIL = [0x00, 0x00, 0x00, 0x00, 0x10, 0x00, 0x80, 0x00, 0x00, 0xaa, 0x00, 0x38, 0x9b, 0x71];

const UNKNOWN_LENGTH = 0xffff_ffff;
const MAX_CHUNKS = 4096; // real files have tens; a file of empty chunks must end

interface Format {
  readonly formatTag: number;
  readonly encoding: WavEncoding | null;
  readonly channels: number;
  readonly sampleRate: number;
}

/**
 * Reads up to the first sample, where it leaves `reader`.
 *
 * @param reader At the first byte of the file.
 * @throws {SottoError} E_AUDIO_FORMAT if the header ends early, contradicts itself or is out of range.
 */
export async function readWavHeader(reader: ByteReader): Promise<WavHeader> {
  const riff = await readExactly(reader, 12);
  const id = fourCharacters(riff, 0);
  if (!["RIFF", "RIFX", "RF64", "BW64"].includes(id) || fourCharacters(riff, 8) !== "WAVE") {
    throw malformed(reader, `it must begin with RIFF … WAVE: got ${JSON.stringify(id)}`);
  }
  const littleEndian = id !== "RIFX";
  const riffLength = view(riff).getUint32(4, littleEndian);
  let longDataLength: number | null = null; // of ds64
  let format: Format | null = null;
  for (let chunk = 0; chunk < MAX_CHUNKS; chunk++) {
    const head = await reader.read(8);
    if (head.length === 0) throw malformed(reader, "it must have a data chunk: got none before the end");
    if (head.length < 8) throw endsEarly(reader);
    const name = fourCharacters(head, 0);
    const length = view(head).getUint32(4, littleEndian);
    if (name === "data") {
      if (format === null) throw malformed(reader, "the fmt chunk must come before the data chunk: got none");
      const container = id === "RIFF" ? "WAV" : id as WavHeader["container"];
      const claim = { length, long: longDataLength, riffLength };
      return { container, littleEndian, ...format, ...dataLengthOf(reader, claim, format) };
    }
    const start = reader.position;
    if (name === "fmt ") {
      if (format !== null) throw malformed(reader, "it must have one fmt chunk: got two");
      format = parseFormat(reader, await readChunk(reader, length, 16, 40), littleEndian);
    } else if (name === "ds64") {
      const ds64 = view(await readChunk(reader, length, 24, 24));
      longDataLength = Number(ds64.getBigUint64(8, littleEndian));
    }
    const padded = length + (length & 1); // chunks begin at even bytes
    if (start + padded > reader.size + 1) {
      const found = `${JSON.stringify(name)} says ${length} bytes, ${
        Math.max(0, reader.size - start)
      } are left`;
      throw malformed(reader, `a chunk before the samples must lie inside the file: ${found}`);
    }
    await reader.skip(padded - (reader.position - start));
  }
  throw malformed(reader, `at most ${MAX_CHUNKS} chunks may come before the samples: got more`);
}

function parseFormat(reader: ByteReader, bytes: Uint8Array, littleEndian: boolean): Format {
  const fmt = view(bytes);
  let formatTag = fmt.getUint16(0, littleEndian);
  const channels = fmt.getUint16(2, littleEndian);
  const sampleRate = fmt.getUint32(4, littleEndian);
  const blockAlign = fmt.getUint16(12, littleEndian);
  const bits = fmt.getUint16(14, littleEndian);
  if (formatTag === EXTENSIBLE) {
    if (bytes.length < 40) {
      throw malformed(reader, `an extensible fmt chunk must have 40 bytes: got ${bytes.length}`);
    }
    const validBits = fmt.getUint16(18, littleEndian); // 0: not said; the rest of the container is zero bits
    if (validBits > bits) {
      throw malformed(reader, `valid bits must be at most ${bits} bits: got ${validBits}`);
    }
    if (SUBFORMAT_TAIL.some((byte, i) => bytes[26 + i] !== byte)) {
      throw malformed(reader, `the sub-format must be a format tag: got ${hex(bytes.subarray(24, 40))}`);
    }
    formatTag = fmt.getUint16(24, littleEndian);
  }
  if (channels < 1 || channels > MAX_CHANNELS) {
    throw malformed(reader, `channels must be 1 to ${MAX_CHANNELS}: got ${channels}`);
  }
  if (sampleRate < MIN_SAMPLE_RATE || sampleRate > MAX_SAMPLE_RATE) {
    throw malformed(
      reader,
      `the sample rate must be ${MIN_SAMPLE_RATE} to ${MAX_SAMPLE_RATE} Hz: got ${sampleRate}`,
    );
  }
  const encoding = encodingOf(reader, formatTag, bits);
  if (encoding !== null && blockAlign !== channels * SAMPLE_BYTES[encoding]) {
    const rule = `the block align of ${channels} × ${bits} bits must be ${channels * SAMPLE_BYTES[encoding]}`;
    throw malformed(reader, `${rule}: got ${blockAlign}`);
  }
  return { formatTag, encoding, channels, sampleRate };
}

/** Bits a sample may have by format tag, with the encoding each stands for. */
const ENCODINGS: ReadonlyMap<number, ReadonlyMap<number, WavEncoding>> = new Map([
  [PCM, new Map<number, WavEncoding>([[8, "u8"], [16, "s16"], [24, "s24"], [32, "s32"]])],
  [IEEE_FLOAT, new Map<number, WavEncoding>([[32, "f32"], [64, "f64"]])],
  [ALAW, new Map<number, WavEncoding>([[8, "alaw"]])],
  [MULAW, new Map<number, WavEncoding>([[8, "mulaw"]])],
]);

function encodingOf(reader: ByteReader, formatTag: number, bits: number): WavEncoding | null {
  const byBits = ENCODINGS.get(formatTag);
  if (byBits === undefined) return null;
  const encoding = byBits.get(bits);
  if (encoding === undefined) {
    throw malformed(
      reader,
      `bits of format ${formatTag} must be ${[...byBits.keys()].join(", ")}: got ${bits}`,
    );
  }
  return encoding;
}

/**
 * Bytes of samples. Programs that write into a pipe do not know the length: they leave 0 or 0xFFFFFFFF, and
 * then the samples reach to the end. A length of 0 is believed where the RIFF length agrees with the file.
 */
function dataLengthOf(
  reader: ByteReader,
  claim: { readonly length: number; readonly long: number | null; readonly riffLength: number },
  format: Format,
): Pick<WavHeader, "dataLength" | "lengthProblem"> {
  const left = Math.max(0, reader.size - reader.position);
  const said = claim.length === UNKNOWN_LENGTH && claim.long !== null ? claim.long : claim.length;
  const unknown = said === UNKNOWN_LENGTH ||
    (said === 0 && left > 0 && Math.abs(claim.riffLength + 8 - reader.size) > 1);
  let lengthProblem: string | null = null;
  if (unknown) lengthProblem = `its header does not say how long it is: reading all ${left} bytes`;
  else if (said > left) {
    lengthProblem = `its header says ${said} bytes of samples, the file has ${left}: reading those`;
  }
  const length = unknown ? left : Math.min(said, left);
  if (format.encoding === null) return { dataLength: length, lengthProblem };
  const rest = length % (format.channels * SAMPLE_BYTES[format.encoding]);
  if (rest > 0) lengthProblem ??= `its last ${rest} bytes are not a whole frame and are dropped`;
  return { dataLength: length - rest, lengthProblem };
}

/** The first `most` bytes of a chunk of `length`, which must have at least `least`. */
async function readChunk(
  reader: ByteReader,
  length: number,
  least: number,
  most: number,
): Promise<Uint8Array> {
  if (length < least) {
    throw malformed(reader, `its fmt or ds64 chunk must have ${least} bytes: got ${length}`);
  }
  return await readExactly(reader, Math.min(length, most));
}

async function readExactly(reader: ByteReader, count: number): Promise<Uint8Array> {
  const bytes = await reader.read(count);
  if (bytes.length < count) throw endsEarly(reader);
  return bytes;
}

function endsEarly(reader: ByteReader): SottoError {
  return malformed(reader, `it ends inside its header: got ${reader.size} bytes`);
}

function malformed(reader: ByteReader, rule: string): SottoError {
  return new SottoError("E_AUDIO_FORMAT", `Cannot read ${reader.name} as WAV because ${rule}`, {
    hint: "Export or convert the recording again, for example to 16-bit WAV or FLAC.",
  });
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function fourCharacters(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + 4));
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Which container a file is, by its first bytes and never by its name.
 *
 * @module
 */

import { SottoError } from "../errors.ts";
import type { ByteReader } from "./byte_reader.ts";
import { findMpegFrames } from "./mpeg_frame.ts";

/** A container with a decoder of ours, or the name of one that `ffmpeg` is asked to decode. */
export type Sniffed =
  | { readonly kind: "wav" | "flac" | "mpeg" | "ogg" }
  | { readonly kind: "ffmpeg"; readonly container: string };

/** How far into a file the first MPEG audio frame may lie, behind tags. Recordings cut from radio begin with less. */
const MAX_GARBAGE_BYTES = 1 << 16;

/** Names of containers by the text at some byte. */
const SIGNATURES: readonly (readonly [at: number, text: string, container: string])[] = [
  [4, "ftyp", "MP4"],
  [0, "\x1aE\xdf\xa3", "Matroska"], // WebM too
  [8, "AVI ", "AVI"],
  [8, "AIFF", "AIFF"],
  [8, "AIFC", "AIFF"],
  [0, ".snd", "AU"],
  [0, "caff", "CAF"],
  [0, "#!AMR", "AMR"],
  [0, "FLV\x01", "FLV"],
  [0, "wvpk", "WavPack"],
  [0, "MAC ", "Monkey's Audio"],
  [0, "TTA1", "True Audio"],
  [0, "ADIF", "AAC"],
  [0, "0&\xb2u\x8ef\xcf\x11", "ASF"], // WMA
  [0, "riff\x2e\x91\xcf\x11", "Wave64"],
  [0, "\x00\x00\x01\xba", "MPEG-PS"],
];

/**
 * Names the container, and leaves `reader` at its first byte: behind ID3 tags and, for MPEG audio, behind
 * whatever else comes before the first frame.
 *
 * @throws {SottoError} E_AUDIO_FORMAT if it is empty or nothing known.
 */
export async function sniff(reader: ByteReader): Promise<Sniffed> {
  if (reader.size === 0) throw unknown(reader, "an empty file");
  const tagged = await skipId3(reader);
  const start = (await reader.peek(16)).slice();
  if (hasText(start, 8, "WAVE") && ["RIFF", "RIFX", "RF64", "BW64"].some((id) => hasText(start, 0, id))) {
    return { kind: "wav" };
  }
  if (hasText(start, 0, "fLaC")) return { kind: "flac" };
  if (hasText(start, 0, "OggS")) return { kind: "ogg" };
  const signature = SIGNATURES.find(([at, text]) => hasText(start, at, text));
  if (signature !== undefined) return { kind: "ffmpeg", container: signature[2] };
  if (isAdts(start)) return { kind: "ffmpeg", container: "AAC" };
  const bytes = await reader.peek(MAX_GARBAGE_BYTES);
  if (isTransportStream(bytes)) return { kind: "ffmpeg", container: "MPEG-TS" };
  const frames = findMpegFrames(bytes);
  if (frames >= 0) {
    await reader.skip(frames);
    return { kind: "mpeg" };
  }
  throw unknown(reader, tagged ? "an ID3 tag with no audio behind it" : quote(start));
}

/** Skips ID3v2 tags (id3.org, version 2.4.0, section 3.1), cover art and all. */
async function skipId3(reader: ByteReader): Promise<boolean> {
  let found = false;
  while (reader.position < reader.size) {
    const head = await reader.peek(10);
    if (head.length < 10 || !hasText(head, 0, "ID3") || head.subarray(6).some((byte) => byte > 127)) {
      return found;
    }
    const length = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]; // seven bits a byte
    const footer = head[5] & 0x10 ? 10 : 0;
    await reader.skip(10 + length + footer);
    found = true;
  }
  return found;
}

/** AAC in ADTS frames (ISO 13818-7): the sync word of MPEG audio, but of layer 0. */
function isAdts(bytes: Uint8Array): boolean {
  return bytes[0] === 0xff && (bytes[1] & 0xf6) === 0xf0;
}

/** A sync byte every 188 bytes (ISO 13818-1). */
function isTransportStream(bytes: Uint8Array): boolean {
  return bytes.length >= 3 * 188 && bytes[0] === 0x47 && bytes[188] === 0x47 && bytes[376] === 0x47;
}

function hasText(bytes: Uint8Array, at: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text.charCodeAt(i)) return false;
  return true;
}

function quote(start: Uint8Array): string {
  const text = Array.from(
    start.subarray(0, 8),
    (byte) => byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "·",
  );
  return `a file that begins with "${text.join("")}"`;
}

function unknown(reader: ByteReader, found: string): SottoError {
  return new SottoError(
    "E_AUDIO_FORMAT",
    `Cannot read ${reader.name} because it must be WAV, FLAC, MP3, Ogg or a format of ffmpeg's: got ${found}`,
    { hint: "Check that it is a recording; its content decides, not its name." },
  );
}

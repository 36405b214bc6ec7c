/**
 * Ogg with Vorbis, Opus or FLAC in it: finds the first stream of sound and checks that it is whole.
 *
 * First packets: Vorbis I specification, 4.2.2; RFC 7845, section 5.1 (Opus); RFC 9639, section 10.1 (FLAC).
 *
 * @module
 */

import { SottoError } from "../errors.ts";
import type { ByteReader } from "./byte_reader.ts";
import type { CompressedAudio } from "./compressed.ts";
import { parseStreamInfo } from "./flac.ts";
import { type OggPage, readOggPage } from "./ogg_page.ts";
import { MAX_CHANNELS, MAX_SAMPLE_RATE, MIN_SAMPLE_RATE, type ReadContext } from "./types.ts";
import { type DecoderName, undecodable } from "./worker_decoder.ts";

interface OggCodec {
  readonly decoder: DecoderName;
  readonly codec: string;
  /** Samples a second of the decoder's output. */
  readonly sampleRate: number;
  readonly channels: number;
  /** Samples that the decoder drops at the start. */
  readonly preSkip: number;
}

/** Opus always counts and decodes in 48 kHz; the rate in its header is only what was recorded. */
const OPUS_RATE = 48_000;
const MAX_STREAMS = 64; // first pages in front of a file; real ones have a sound and a picture

/**
 * Opens the first stream of sound.
 *
 * @param reader At the first page.
 * @returns Null where it holds sound of another codec, which is for another decoder.
 * @throws {SottoError} E_AUDIO_FORMAT if a header is malformed, E_AUDIO_DECODE if a page is.
 */
export async function openOgg(reader: ByteReader, context: ReadContext): Promise<CompressedAudio | null> {
  const { name } = reader;
  let first: OggPage | null = null;
  let codec: OggCodec | null = null;
  for (let streams = 0; codec === null; streams++) {
    const page = await readOggPage(reader);
    if (page === "cut" || page === null) throw malformed(name, "it ends inside its header");
    if (!page.begins || streams === MAX_STREAMS) return null;
    codec = parseFirstPacket(page.body, name);
    first = page;
  }
  const { decoder, sampleRate, channels, preSkip } = codec;
  const serial = first!.serial;
  let firstGranule = -1; // of the first page with sound
  let samplesOfFirst = -1; // what it decoded to
  let lastGranule = 0;
  let ended = false;
  let cut = false;

  async function* pieces(decodedSamples: () => number): AsyncGenerator<Uint8Array, void, void> {
    yield first!.bytes;
    for (let expected = first!.sequence + 1;;) {
      const page = await readOggPage(reader);
      if (page === null) return;
      if (page === "cut") {
        cut = true;
        return;
      }
      if (page.serial !== serial) {
        if (page.begins && ended) {
          throw undecodable(name, "it must hold one stream after all: got several in a row");
        }
        continue;
      }
      if (ended) throw undecodable(name, "nothing may follow the last page of its stream: got another page");
      if (page.sequence !== expected) {
        throw undecodable(name, `page ${expected} of its stream must come next: got page ${page.sequence}`);
      }
      expected++;
      yield page.bytes;
      ended = page.ends;
      if (page.granule <= 0) continue;
      lastGranule = page.granule;
      if (firstGranule < 0) firstGranule = page.granule;
      if (samplesOfFirst < 0 && decodedSamples() > 0) samplesOfFirst = decodedSamples();
    }
  }

  function finish(decoded: number): void {
    if (cut || !ended) {
      const seconds = (decoded / sampleRate).toFixed(1);
      context.warn({
        code: "W_TRUNCATED",
        message: `${name} ends early: decoded ${seconds} s, and the last page that marks the end is missing`,
      });
    }
    // A recording cut out of a longer one starts at a granule above 0; then only the first page could tell
    // where, so a shortage is judged only for those that start at 0.
    const expected = lastGranule - preSkip;
    const startsAtZero = firstGranule <= LONGEST_FIRST_PAGE_SECONDS * sampleRate;
    if (startsAtZero && decoded < expected - TOLERANCE_SECONDS * sampleRate) {
      throw undecodable(name, `its pages say ${expected} samples: got ${decoded}`);
    }
  }

  const info = { container: "Ogg", codec: codec.codec, sampleRate, channels, durationSeconds: null };
  return { info, sampleRate, decoder, skipSamples: 0, pieces, finish };
}

const LONGEST_FIRST_PAGE_SECONDS = 1; // encoders put at most a second into a page
const TOLERANCE_SECONDS = 0.1; // a Vorbis block or an Opus packet at either end

function parseFirstPacket(packet: Uint8Array, name: string): OggCodec | null {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  if (hasText(packet, 0, "\x01vorbis")) {
    if (packet.length < 30) throw malformed(name, "its Vorbis header must have 30 bytes");
    return checked({
      decoder: "vorbis",
      codec: "Vorbis",
      channels: packet[11],
      sampleRate: view.getUint32(12, true),
      preSkip: 0,
    }, name);
  }
  if (hasText(packet, 0, "OpusHead")) {
    if (packet.length < 19) throw malformed(name, "its Opus header must have 19 bytes");
    const preSkip = view.getUint16(10, true);
    return checked(
      { decoder: "opus", codec: "Opus", channels: packet[9], sampleRate: OPUS_RATE, preSkip },
      name,
    );
  }
  if (hasText(packet, 0, "\x7fFLAC")) {
    if (packet.length < 51) throw malformed(name, "its FLAC header must have 51 bytes");
    const { sampleRate, channels, bitsPerSample } = parseStreamInfo(packet.subarray(17), name);
    return { decoder: "flac", codec: `FLAC ${bitsPerSample} bit`, sampleRate, channels, preSkip: 0 };
  }
  return null;
}

function checked(codec: OggCodec, name: string): OggCodec {
  const { channels, sampleRate } = codec;
  if (channels < 1 || channels > MAX_CHANNELS) {
    throw malformed(name, `channels must be 1 to ${MAX_CHANNELS}: got ${channels}`);
  }
  if (sampleRate < MIN_SAMPLE_RATE || sampleRate > MAX_SAMPLE_RATE) {
    const range = `${MIN_SAMPLE_RATE} to ${MAX_SAMPLE_RATE} Hz`;
    throw malformed(name, `the sample rate must be ${range}: got ${sampleRate}`);
  }
  return codec;
}

function hasText(bytes: Uint8Array, at: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text.charCodeAt(i)) return false;
  return true;
}

function malformed(name: string, rule: string): SottoError {
  return new SottoError("E_AUDIO_FORMAT", `Cannot read ${name} as Ogg because ${rule}`, {
    hint: "Get or export the recording again.",
  });
}

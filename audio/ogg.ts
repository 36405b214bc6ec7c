/**
 * Ogg with Vorbis, Opus or FLAC in it: finds the first stream of sound and checks that it is whole.
 *
 * First packets: Vorbis I specification, 4.2.2; RFC 7845, section 5.1 (Opus); RFC 9639, section 10.1 (FLAC).
 *
 * @module
 */

import { SottoError } from "../errors.ts";
import type { ByteReader } from "./byte_reader.ts";
import { type CompressedAudio, NEW_STREAM } from "./compressed.ts";
import { flacGain, parseStreamInfo } from "./flac.ts";
import { type OggPage, readOggPage } from "./ogg_page.ts";
import { MAX_CHANNELS, MAX_SAMPLE_RATE, MIN_SAMPLE_RATE, type ReadContext } from "./types.ts";
import { type DecoderName, type Piece, undecodable } from "./worker_decoder.ts";

interface OggCodec {
  readonly decoder: DecoderName;
  readonly codec: string;
  /** Samples a second of the decoder's output. */
  readonly sampleRate: number;
  readonly channels: number;
  /** Samples that the decoder drops at the start. */
  readonly preSkip: number;
  readonly gain: number;
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
  const found = await findSound(reader);
  if (found === null) return null;
  const { first, codec } = found;
  const { decoder, sampleRate, channels, gain } = codec;
  let { preSkip } = codec;
  let { serial, sequence } = first;
  let decodedBefore = 0; // samples of the streams before this one, where several follow each other
  let firstGranule = -1;
  let lastGranule = 0;
  let ended = false;
  let cut = false;

  async function* pieces(
    decodedSamples: () => number,
  ): AsyncGenerator<Piece | typeof NEW_STREAM, void, void> {
    yield first.bytes;
    while (true) {
      const page = await readOggPage(reader);
      if (page === null) return;
      if (page === "cut") {
        cut = true;
        return;
      }
      if (page.begins && ended) {
        const next = parseFirstPacket(page.body, name);
        if (next === null) continue;
        if (next.decoder !== decoder || next.sampleRate !== sampleRate) {
          throw undecodable(
            name,
            `its streams must be of one codec and rate: got ${next.codec}, ${next.sampleRate} Hz`,
          );
        }
        yield NEW_STREAM;
        judge(decodedSamples() - decodedBefore);
        decodedBefore = decodedSamples();
        ({ serial, sequence } = page);
        ({ preSkip } = next);
        firstGranule = -1;
        lastGranule = 0;
        ended = false;
        yield page.bytes;
        continue;
      }
      if (page.serial !== serial) continue; // a picture beside the sound
      if (ended) throw undecodable(name, "nothing may follow the last page of its stream: got another page");
      if (page.sequence !== ++sequence) {
        throw undecodable(name, `page ${sequence} of its stream must come next: got page ${page.sequence}`);
      }
      ended = page.ends;
      if (page.granule > 0) lastGranule = page.granule;
      if (firstGranule < 0 && page.granule > 0) firstGranule = page.granule;
      yield page.bytes;
    }
  }

  /** The last granule counts from the stream's start, or from before it where it was cut out of a longer one. */
  const endSample = () => ended ? decodedBefore + Math.max(0, lastGranule - preSkip) : Infinity;

  /** A stream may start at any granule, but no later than its first page ends. */
  function judge(decoded: number): void {
    const least = lastGranule - Math.max(firstGranule, 0) - preSkip - TOLERANCE_SECONDS * sampleRate;
    if (decoded < least) throw undecodable(name, `its pages say ${lastGranule} samples: got ${decoded}`);
  }

  function finish(decoded: number): void {
    judge(decoded - decodedBefore);
    if (!cut && ended) return;
    const seconds = (decoded / sampleRate).toFixed(1);
    const message = `${name} is cut short: decoded ${seconds} s, and the page that marks the end is missing`;
    context.warn({ code: "W_TRUNCATED", message });
  }

  const info = { container: "Ogg", codec: codec.codec, sampleRate, channels, durationSeconds: null };
  return { info, sampleRate, decoder, skipSamples: 0, gain, pieces, endSample, finish };
}

/** The first of the streams that begin here whose codec is known, by its first page; null where none is. */
async function findSound(reader: ByteReader): Promise<{ first: OggPage; codec: OggCodec } | null> {
  for (let streams = 0; streams < MAX_STREAMS; streams++) {
    const first = await readOggPage(reader);
    if (first === "cut" || first === null) throw malformed(reader.name, "it ends inside its header");
    if (!first.begins) return null;
    const codec = parseFirstPacket(first.body, reader.name);
    if (codec !== null) return { first, codec };
  }
  return null;
}

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
      gain: 1,
    }, name);
  }
  if (hasText(packet, 0, "OpusHead")) {
    if (packet.length < 19) throw malformed(name, "its Opus header must have 19 bytes");
    const preSkip = view.getUint16(10, true);
    return checked(
      { decoder: "opus", codec: "Opus", channels: packet[9], sampleRate: OPUS_RATE, preSkip, gain: 1 },
      name,
    );
  }
  if (hasText(packet, 0, "\x7fFLAC")) {
    if (packet.length < 51) throw malformed(name, "its FLAC header must have 51 bytes");
    const { sampleRate, channels, bitsPerSample } = parseStreamInfo(packet.subarray(17), name);
    const gain = flacGain(bitsPerSample);
    return { decoder: "flac", codec: `FLAC ${bitsPerSample} bit`, sampleRate, channels, preSkip: 0, gain };
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

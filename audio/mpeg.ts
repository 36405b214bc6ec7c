/**
 * MPEG audio (MP3): splits the file into whole frames, leaves tags and garbage out, and knows how long it is.
 *
 * An MP3 decoder's output starts late: by the decoder's own delay, and by the encoder's, which LAME writes
 * into the first frame together with the padding at the end. The decoder drops both where they are written;
 * where they are not, its own delay is dropped here.
 *
 * Layouts: Xing's VBR header SDK; "Mp3 Info Tag revision 1" (LAME); Fraunhofer's VBRI header.
 *
 * @module
 */

import type { ByteReader } from "./byte_reader.ts";
import { type CompressedAudio, secondsOf } from "./compressed.ts";
import { findMpegFrames, isSameStream, type MpegFrame, parseMpegFrame } from "./mpeg_frame.ts";
import type { ReadContext } from "./types.ts";
import { undecodable } from "./worker_decoder.ts";

/** What the first frame says about the stream when it is a tag and not sound. */
interface StreamTag {
  /** Frames with sound, or null. */
  readonly frames: number | null;
  /** Samples that the encoder put in front and behind, or null. */
  readonly gap: { readonly delay: number; readonly padding: number } | null;
}

/**
 * Samples a decoder puts in front. Layer III: 528 of the IMDCT and the synthesis, 1 by convention, as LAME
 * counts. Layers I and II: 481, what the analysis and synthesis filters of 512 taps and 32 bands delay together.
 */
const DECODER_DELAY: Readonly<Record<MpegFrame["layer"], number>> = { 1: 481, 2: 481, 3: 529 };

const PIECE_SECONDS = 5;
const SEARCH_BYTES = 1 << 16;

/**
 * Opens a stream of MPEG audio.
 *
 * @param reader At the first frame.
 * @throws {SottoError} E_AUDIO_FORMAT if there is no frame.
 */
export async function openMpeg(reader: ByteReader, context: ReadContext): Promise<CompressedAudio> {
  const { name } = reader;
  const bytes = await reader.peek(4096); // more than any frame's 2,881 bytes
  const first = parseMpegFrame(bytes, 0)!; // the sniffer stopped at it
  const tag = parseStreamTag(bytes, first);
  const { sampleRate, channels, layer, version } = first;
  const trimmedByDecoder = tag?.gap != null;
  const tagSamples = tag?.frames == null ? null : tag.frames * first.samples;
  const gapSamples = tag?.gap == null ? 0 : tag.gap.delay + tag.gap.padding;
  const expected = tagSamples === null ? null : Math.max(0, tagSamples - gapSamples);
  let fedFrames = 0;
  let lostBytes = 0;
  let lostAt = 0;
  let cut = false;

  async function* pieces(): AsyncGenerator<Uint8Array, void, void> {
    const piece = new Piece();
    while (true) {
      const head = await reader.peek(first.bytes + 4);
      const frame = parseMpegFrame(head, 0);
      if (frame !== null && isSameStream(frame, first)) {
        const whole = await reader.read(frame.bytes);
        if (whole.length < frame.bytes) {
          cut = true;
          break;
        }
        piece.add(whole);
        fedFrames++;
        if (piece.frames * frame.samples >= PIECE_SECONDS * sampleRate) yield piece.take();
        continue;
      }
      const skipped = await skipToFrame(reader, first);
      if (skipped.lost > 0 && lostBytes === 0) lostAt = fedFrames * first.samples / sampleRate;
      lostBytes += skipped.lost;
      if (skipped.atEnd) break;
    }
    if (piece.frames > 0) yield piece.take();
  }

  function finish(decoded: number): void {
    const soundFrames = fedFrames - (tag === null ? 0 : 1);
    if (soundFrames > 0 && decoded === 0) {
      throw undecodable(name, `its ${soundFrames} frames must hold sound: got none`);
    }
    if (lostBytes > 0) {
      const where = `${lostBytes} bytes that are not MPEG audio, first at ${lostAt.toFixed(1)} s`;
      context.warn({ code: "W_DAMAGED", message: `${name} is damaged: skipped ${where}` });
    }
    const missing = tag?.frames != null && soundFrames < tag.frames;
    if (!missing && !cut) return;
    const what = missing
      ? secondsOf(decoded, expected!, sampleRate)
      : `decoded ${(decoded / sampleRate).toFixed(1)} s, and the last frame is cut`;
    context.warn({ code: "W_TRUNCATED", message: `${name} is cut short: ${what}` });
  }

  const durationSeconds = expected === null ? null : expected / sampleRate;
  const codec = `MPEG ${version} layer ${"I".repeat(layer)}`;
  const info = {
    container: layer === 3 ? "MP3" : "MPEG audio",
    codec,
    sampleRate,
    channels,
    durationSeconds,
  };
  const skipSamples = trimmedByDecoder ? 0 : DECODER_DELAY[layer];
  return {
    info,
    sampleRate,
    decoder: "mpeg",
    skipSamples,
    gain: 1,
    pieces,
    endSample: () => Infinity,
    finish,
  };
}

/** Whole frames collected for one question to the decoder. */
class Piece {
  frames = 0;
  #bytes = new Uint8Array(1 << 16);
  #length = 0;

  add(frame: Uint8Array): void {
    if (this.#length + frame.length > this.#bytes.length) {
      const larger = new Uint8Array(this.#bytes.length * 2);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#bytes.set(frame, this.#length);
    this.#length += frame.length;
    this.frames++;
  }

  take(): Uint8Array {
    const bytes = this.#bytes.subarray(0, this.#length);
    this.frames = this.#length = 0;
    return bytes;
  }
}

/** Tags that may stand among frames or behind them, with the bytes to skip. */
function tagLength(bytes: Uint8Array): number {
  const text = String.fromCharCode(...bytes.subarray(0, 8));
  if (text.startsWith("TAG")) return 128; // ID3v1
  if (text.startsWith("ID3") && bytes.length >= 10) {
    return 10 + (bytes[6] << 21 | bytes[7] << 14 | bytes[8] << 7 | bytes[9]);
  }
  if (text === "APETAGEX" && bytes.length >= 32) { // a header with its items behind it, or only the footer
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    return view.getUint32(20, true) & 0x2000_0000 ? 32 + view.getUint32(12, true) : 32;
  }
  return 0;
}

/** Moves to the next frame of the stream; zeros and tags on the way are not lost sound. */
async function skipToFrame(reader: ByteReader, first: MpegFrame): Promise<{ lost: number; atEnd: boolean }> {
  let lost = 0;
  while (true) {
    const bytes = await reader.peek(SEARCH_BYTES);
    if (bytes.length === 0) return { lost, atEnd: true };
    const tag = tagLength(bytes.subarray(0, 32));
    if (tag > 0) {
      await reader.skip(tag);
      continue;
    }
    const frame = parseMpegFrame(bytes, 0);
    if (lost === 0 && frame !== null && isSameStream(frame, first)) return { lost, atEnd: false };
    const at = nextOf(bytes, first);
    const stop = at < 0 ? Math.max(1, bytes.length - 3) : at;
    for (let i = 0; i < stop; i++) if (bytes[i] !== 0) lost++;
    await reader.skip(stop);
    if (at >= 0) return { lost, atEnd: false };
  }
}

function nextOf(bytes: Uint8Array, first: MpegFrame): number {
  for (let from = 1;;) {
    const at = findMpegFrames(bytes, from);
    if (at < 0 || isSameStream(parseMpegFrame(bytes, at)!, first)) return at;
    from = at + 1;
  }
}

/** Reads the tag that encoders hide in a first frame of silence, or null where the first frame is sound. */
function parseStreamTag(bytes: Uint8Array, frame: MpegFrame): StreamTag | null {
  if (frame.layer !== 3 || bytes.length < frame.bytes) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, frame.bytes);
  const sideInfo = frame.version === 1 ? (frame.channels === 1 ? 17 : 32) : (frame.channels === 1 ? 9 : 17);
  const xing = 4 + sideInfo;
  const text = (at: number) => String.fromCharCode(...bytes.subarray(at, at + 4));
  if (text(xing) === "Xing" || text(xing) === "Info") {
    const flags = view.getUint32(xing + 4);
    const frames = flags & 1 ? view.getUint32(xing + 8) : null;
    // Behind: frames 4, bytes 4, seek table 100, quality 4 (each where its flag is set), then LAME's part.
    const lame = xing + 8 + (flags & 1 ? 4 : 0) + (flags & 2 ? 4 : 0) + (flags & 4 ? 100 : 0) +
      (flags & 8 ? 4 : 0);
    if (lame + 24 > frame.bytes || !/^[A-Za-z]/.test(text(lame))) return { frames, gap: null };
    const gap = bytes[lame + 21] << 16 | bytes[lame + 22] << 8 | bytes[lame + 23]; // 12 bits each
    return { frames, gap: { delay: gap >> 12, padding: gap & 0xfff } };
  }
  if (frame.bytes >= 36 + 18 && text(36) === "VBRI") return { frames: view.getUint32(36 + 14), gap: null };
  return null;
}

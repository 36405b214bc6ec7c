/**
 * The four-byte header of an MPEG audio frame (MP3 and its older layers).
 *
 * Layout and tables: ISO 11172-3, 2.4.1.3 and 2.4.2.3; ISO 13818-3 for the lower rates; MPEG 2.5 is
 * Fraunhofer's extension of both.
 *
 * @module
 */

/** What a frame header says. */
export interface MpegFrame {
  /** 1, 2 or 2.5. */
  readonly version: number;
  readonly layer: 1 | 2 | 3;
  /** Samples a second. */
  readonly sampleRate: number;
  readonly channels: 1 | 2;
  /** Bytes of the frame with its header. */
  readonly bytes: number;
  /** Samples of each channel. */
  readonly samples: number;
  /** Bytes of a checksum behind the header. */
  readonly checksumBytes: 0 | 2;
}

/** kbit/s by [MPEG 1, or MPEG 2 and 2.5][layer − 1][index]; index 0 is "free format", which is not read here. */
const BITRATES: readonly (readonly (readonly number[])[])[] = [
  [
    [0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
    [0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
    [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  ],
  [
    [0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
    [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
    [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
  ],
];

const MPEG1_RATES = [44_100, 48_000, 32_000];

/**
 * Reads the header at a byte.
 *
 * @returns Null where there is none.
 */
export function parseMpegFrame(bytes: Uint8Array, at: number): MpegFrame | null {
  if (at + 4 > bytes.length || bytes[at] !== 0xff || (bytes[at + 1] & 0xe0) !== 0xe0) return null;
  const versionBits = bytes[at + 1] >> 3 & 3; // 0: 2.5, 1: reserved, 2: 2, 3: 1
  const layerBits = bytes[at + 1] >> 1 & 3; // 0: reserved, 1: III, 2: II, 3: I
  const bitrateIndex = bytes[at + 2] >> 4;
  const rateIndex = bytes[at + 2] >> 2 & 3;
  const emphasis = bytes[at + 3] & 3; // 2: reserved
  if (versionBits === 1 || layerBits === 0 || rateIndex === 3 || emphasis === 2) return null;
  if (bitrateIndex === 0 || bitrateIndex === 15) return null;
  const version = versionBits === 3 ? 1 : versionBits === 2 ? 2 : 2.5;
  const layer = 4 - layerBits as 1 | 2 | 3;
  const sampleRate = MPEG1_RATES[rateIndex] / (version === 1 ? 1 : version === 2 ? 2 : 4);
  const samples = layer === 1 ? 384 : layer === 3 && version !== 1 ? 576 : 1152;
  const slotBytes = layer === 1 ? 4 : 1;
  const bitrate = BITRATES[version === 1 ? 0 : 1][layer - 1][bitrateIndex] * 1000;
  const slots = Math.floor(samples / 8 * bitrate / sampleRate / slotBytes) + (bytes[at + 2] >> 1 & 1);
  const channels = bytes[at + 3] >> 6 === 3 ? 1 : 2;
  const checksumBytes = bytes[at + 1] & 1 ? 0 : 2;
  return { version, layer, sampleRate, channels, bytes: slots * slotBytes, samples, checksumBytes };
}

/** Whether two frames can belong to one stream: those fields stay the same throughout. */
export function isSameStream(a: MpegFrame, b: MpegFrame): boolean {
  return a.version === b.version && a.layer === b.layer && a.sampleRate === b.sampleRate;
}

/** Frames in a row that are taken for MPEG audio. One header in 10^3 random words is valid, three in a row are not chance. */
const CONVINCING_FRAMES = 3;

/**
 * The first place where three frames of one stream follow each other, or fewer that reach exactly to the end.
 *
 * @returns The byte, or −1.
 */
export function findMpegFrames(bytes: Uint8Array, from = 0): number {
  for (let at = from; at + 4 <= bytes.length; at++) {
    const first = parseMpegFrame(bytes, at);
    if (first === null) continue;
    let next = at + first.bytes;
    let frames = 1;
    for (; frames < CONVINCING_FRAMES; frames++) {
      const frame = parseMpegFrame(bytes, next);
      if (frame === null || !isSameStream(first, frame)) break;
      next += frame.bytes;
    }
    if (frames === CONVINCING_FRAMES || next === bytes.length) return at;
  }
  return -1;
}

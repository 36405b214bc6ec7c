/**
 * Where FLAC frames begin and end, their checksums verified.
 *
 * A frame does not say how long it is: it ends where the next header begins, and its own CRC-16 tells
 * whether that header was one or only looked like it.
 *
 * Layout: RFC 9639, section 9.1.
 *
 * @module
 */

/** What a frame header says. */
export interface FlacFrameHeader {
  /** Samples of each channel. */
  readonly samples: number;
  /** Number of the frame, or of its first sample where frames differ in length. */
  readonly number: number;
  /** Bytes of the header. */
  readonly bytes: number;
}

const BLOCK_SIZES: readonly number[] = [0, 192, 576, 1152, 2304, 4608, 0, 0];
/** Bytes of a header at most: 4, 7 of the number, 2 of the block size, 2 of the rate, 1 checksum. */
export const MAX_HEADER_BYTES = 16;

/**
 * Reads the frame header at a byte.
 *
 * @returns Null where there is none, or where `bytes` ends inside it.
 */
export function parseFlacFrame(bytes: Uint8Array, at: number): FlacFrameHeader | null {
  if (bytes[at] !== 0xff || (bytes[at + 1] & 0xfe) !== 0xf8) return null;
  const sizeCode = bytes[at + 2] >> 4;
  const rateCode = bytes[at + 2] & 15;
  const channelCode = bytes[at + 3] >> 4;
  if (sizeCode === 0 || rateCode === 15 || channelCode > 10 || (bytes[at + 3] & 1) !== 0) return null;
  let next = at + 4;
  // The number is coded like UTF-8, up to 36 bits.
  const lead = bytes[next++];
  const following = lead < 0x80 ? 0 : Math.clz32(~(lead << 24)) - 1;
  if (lead >= 0x80 && (following < 1 || following > 6)) return null;
  let number = following === 0 ? lead : lead & (0x3f >> following);
  for (let i = 0; i < following; i++) {
    const byte = bytes[next++];
    if ((byte & 0xc0) !== 0x80) return null;
    number = number * 64 + (byte & 0x3f);
  }
  let samples = sizeCode < 8 ? BLOCK_SIZES[sizeCode] : 1 << sizeCode;
  if (sizeCode === 6) samples = bytes[next++] + 1;
  if (sizeCode === 7) samples = (bytes[next++] << 8 | bytes[next++]) + 1;
  if (rateCode === 12) next += 1;
  if (rateCode === 13 || rateCode === 14) next += 2;
  if (next >= bytes.length || crc8(bytes, at, next) !== bytes[next]) return null;
  return { samples, number, bytes: next + 1 - at };
}

/** CRC-8 with polynomial 0x07, of a header. */
function crc8(bytes: Uint8Array, from: number, to: number): number {
  let crc = 0;
  for (let i = from; i < to; i++) crc = CRC8_TABLE[crc ^ bytes[i]];
  return crc;
}

/** Continues a CRC-16 with polynomial 0x8005 over `bytes[from, to)`. Over a whole frame with its checksum it is 0. */
export function crc16(crc: number, bytes: Uint8Array, from: number, to: number): number {
  for (let i = from; i < to; i++) crc = (crc << 8 & 0xffff) ^ CRC16_TABLE[crc >> 8 ^ bytes[i]];
  return crc;
}

function crcTable(polynomial: number, bits: number): Uint16Array {
  return Uint16Array.from({ length: 256 }, (_, byte) => {
    let crc = byte << (bits - 8);
    for (let bit = 0; bit < 8; bit++) crc = crc << 1 ^ (crc >> (bits - 1) & 1 ? polynomial : 0);
    return crc & (2 ** bits - 1);
  });
}

const CRC8_TABLE: Uint16Array = crcTable(0x07, 8);
const CRC16_TABLE: Uint16Array = crcTable(0x8005, 16);

/**
 * Where the frame at byte 0 ends.
 *
 * @param bytes U8, from the frame's first byte on.
 * @param header The frame's header.
 * @param atEnd Whether `bytes` reaches to the end of the file.
 * @returns Bytes of the frame, or −1 where its end is not in `bytes` or its checksum fits nowhere.
 */
export function flacFrameLength(bytes: Uint8Array, header: FlacFrameHeader, atEnd: boolean): number {
  let crc = crc16(0, bytes, 0, header.bytes);
  let done = header.bytes;
  while (true) {
    const sync = bytes.indexOf(0xff, done + 1);
    const end = sync < 0 ? bytes.length : sync;
    crc = crc16(crc, bytes, done, end);
    done = end;
    if (crc === 0 && (sync < 0 ? atEnd : parseFlacFrame(bytes, end) !== null)) return end;
    if (sync < 0) return -1;
  }
}

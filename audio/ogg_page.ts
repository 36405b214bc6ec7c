/**
 * Pages of an Ogg stream, their checksums verified.
 *
 * Layout: RFC 3533, section 6.
 *
 * @module
 */

import type { ByteReader } from "./byte_reader.ts";
import { undecodable } from "./worker_decoder.ts";

/** One page. */
export interface OggPage {
  /** U8, the page with its header; a copy. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** U8, what is behind the header. */
  readonly body: Uint8Array<ArrayBuffer>;
  /** Which logical stream it belongs to. */
  readonly serial: number;
  /** Its number in that stream. */
  readonly sequence: number;
  /** Samples up to the end of the last packet that ends here, by the codec's own count; −1 where none ends. */
  readonly granule: number;
  /** The first page of its stream. */
  readonly begins: boolean;
  /** The last page of its stream. */
  readonly ends: boolean;
}

const HEADER_BYTES = 27;

/**
 * Reads the next page.
 *
 * @returns Null at the end of the file, `"cut"` where the file ends inside a page.
 * @throws {SottoError} E_AUDIO_DECODE where there is no page, or its checksum is wrong.
 */
export async function readOggPage(reader: ByteReader): Promise<OggPage | "cut" | null> {
  const at = reader.position;
  const head = await reader.peek(HEADER_BYTES);
  if (head.length === 0) return null;
  if (head[0] !== 0x4f || (head.length > 3 && (head[1] !== 0x67 || head[2] !== 0x67 || head[3] !== 0x53))) {
    throw undecodable(reader.name, `there must be an Ogg page at byte ${at}: got something else`);
  }
  if (head.length < HEADER_BYTES) return "cut";
  const segments = head[26];
  const table = (await reader.peek(HEADER_BYTES + segments)).subarray(HEADER_BYTES);
  if (table.length < segments) return "cut";
  const bodyBytes = table.reduce((sum, length) => sum + length, 0);
  const pageBytes = HEADER_BYTES + segments + bodyBytes;
  const bytes = new Uint8Array(await reader.read(pageBytes));
  if (bytes.length < pageBytes) return "cut";
  const view = new DataView(bytes.buffer);
  const checksum = view.getUint32(22, true);
  view.setUint32(22, 0, true);
  const computed = oggChecksum(bytes);
  view.setUint32(22, checksum, true);
  if (computed !== checksum) {
    const values = `${hex(checksum)}, computed ${hex(computed)}`;
    throw undecodable(reader.name, `the checksum of the Ogg page at byte ${at} must fit: got ${values}`);
  }
  return {
    bytes,
    body: bytes.subarray(HEADER_BYTES + segments),
    serial: view.getUint32(14, true),
    sequence: view.getUint32(18, true),
    granule: Number(view.getBigInt64(6, true)),
    begins: (bytes[5] & 2) !== 0,
    ends: (bytes[5] & 4) !== 0,
  };
}

/** CRC-32 with polynomial 0x04C11DB7, no reflection, no inversion: Ogg's own choice. */
export function oggChecksum(bytes: Uint8Array): number {
  let crc = 0;
  for (let i = 0; i < bytes.length; i++) crc = crc << 8 ^ CRC_TABLE[crc >>> 24 ^ bytes[i]];
  return crc >>> 0;
}

const CRC_TABLE: Int32Array = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 24;
  for (let bit = 0; bit < 8; bit++) crc = crc << 1 ^ (crc < 0 ? 0x04c1_1db7 : 0);
  return crc;
});

function hex(value: number): string {
  return value.toString(16).padStart(8, "0");
}

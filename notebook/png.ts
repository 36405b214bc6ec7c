/**
 * Pictures as PNG (ISO/IEC 15948): eight bits a pixel, which point into a palette.
 *
 * @module
 */

import { crc32, deflateSync } from "node:zlib";

/** Red, green and blue, 0…255 each. */
export type Colour = readonly [red: number, green: number, blue: number];

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const EIGHT_BITS = 8;
const PALETTE_TYPE = 3;

/**
 * Writes a picture.
 *
 * @param pixels U8 [height, width]: places in the palette.
 * @param palette Up to 256 colours.
 */
export function writePng(
  pixels: Uint8Array,
  width: number,
  palette: readonly Colour[],
): Uint8Array<ArrayBuffer> {
  const height = pixels.length / width;
  const header = new DataView(new ArrayBuffer(13));
  header.setUint32(0, width);
  header.setUint32(4, height);
  header.setUint8(8, EIGHT_BITS);
  header.setUint8(9, PALETTE_TYPE);
  // Each row is preceded by its filter: none, which suits palettes.
  const rows = new Uint8Array(height * (width + 1));
  for (let y = 0; y < height; y++) {
    rows.set(pixels.subarray(y * width, (y + 1) * width), y * (width + 1) + 1);
  }
  const chunks = [
    Uint8Array.from(SIGNATURE),
    chunk("IHDR", new Uint8Array(header.buffer)),
    chunk("PLTE", Uint8Array.from(palette.flat())),
    chunk("IDAT", deflateSync(rows, { level: 9 })),
    chunk("IEND", new Uint8Array()),
  ];
  const png = new Uint8Array(chunks.reduce((size, { length }) => size + length, 0));
  let at = 0;
  for (const part of chunks) {
    png.set(part, at);
    at += part.length;
  }
  return png;
}

/** Length, name, data, and the checksum of name and data. */
function chunk(name: string, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(12 + data.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  bytes.set(new TextEncoder().encode(name), 4);
  bytes.set(data, 8);
  view.setUint32(8 + data.length, crc32(bytes.subarray(4, 8 + data.length)));
  return bytes;
}

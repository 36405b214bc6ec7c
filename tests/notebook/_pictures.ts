/**
 * Reads pictures back, apart from the code that wrote them.
 *
 * @module
 */

import assert from "node:assert/strict";
import { inflateSync } from "node:zlib";

/** A decoded palette PNG. */
export interface DecodedPng {
  readonly width: number;
  readonly height: number;
  /** The colour of a pixel, red, green, blue. */
  at(x: number, y: number): number[];
}

/** Decodes an 8-bit palette PNG with unfiltered rows. */
export function decodePng(png: Uint8Array): DecodedPng {
  assert.deepEqual([...png.subarray(1, 4)], [..."PNG"].map((letter) => letter.charCodeAt(0)));
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  const chunks = new Map<string, Uint8Array>();
  for (let at = 8; at < png.length;) {
    const length = view.getUint32(at);
    chunks.set(new TextDecoder().decode(png.subarray(at + 4, at + 8)), png.subarray(at + 8, at + 8 + length));
    at += 12 + length;
  }
  const width = view.getUint32(16);
  const height = view.getUint32(20);
  const rows = inflateSync(chunks.get("IDAT")!);
  assert.equal(rows.length, height * (width + 1));
  const palette = chunks.get("PLTE")!;
  return {
    width,
    height,
    at: (x, y) => {
      assert.equal(rows[y * (width + 1)], 0, "no filter");
      const entry = rows[y * (width + 1) + 1 + x];
      return [...palette.subarray(3 * entry, 3 * entry + 3)];
    },
  };
}

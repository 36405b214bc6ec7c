/**
 * Reads arrays out of NumPy's .npz: a zip of .npy files.
 *
 * @module
 */

import { inflateRawSync } from "node:zlib";

/** The F32 arrays of an .npz by name, walking the zip's local headers. */
export function readNpz(bytes: Uint8Array<ArrayBuffer>): Record<string, Float32Array<ArrayBuffer>> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const arrays: Record<string, Float32Array<ArrayBuffer>> = {};
  // The central directory is reached from the end record, whose offset field lies 16 bytes in.
  const end = bytes.findLastIndex((_, i) => i + 22 <= bytes.length && view.getUint32(i, true) === 0x06054b50);
  let entry = view.getUint32(end + 16, true);
  for (let left = view.getUint16(end + 10, true); left > 0; left--) {
    const [method, size] = [view.getUint16(entry + 10, true), view.getUint32(entry + 20, true)];
    const nameLength = view.getUint16(entry + 28, true);
    const name = new TextDecoder().decode(bytes.subarray(entry + 46, entry + 46 + nameLength));
    const local = view.getUint32(entry + 42, true);
    const start = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
    const stored = bytes.subarray(start, start + size);
    arrays[name.replace(/\.npy$/, "")] = readNpy(
      method === 8 ? Uint8Array.from(inflateRawSync(stored)) : stored,
    );
    entry += 46 + nameLength + view.getUint16(entry + 30, true) + view.getUint16(entry + 32, true);
  }
  return arrays;
}

function readNpy(bytes: Uint8Array): Float32Array<ArrayBuffer> {
  const header = bytes[8] | bytes[9] << 8;
  const text = new TextDecoder().decode(bytes.subarray(10, 10 + header));
  if (!text.includes("'<f4'") || !text.includes("'fortran_order': False")) {
    throw new Error(`no reader for ${text}`);
  }
  return new Float32Array(bytes.slice(10 + header).buffer);
}

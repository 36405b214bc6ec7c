/**
 * The samples of a mono 16-bit WAV, without the reader under test elsewhere.
 *
 * @module
 */

/** F32 samples, −1…1. */
export function readPcm16(bytes: Uint8Array<ArrayBuffer>): Float32Array<ArrayBuffer> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 12; at + 8 <= bytes.length;) {
    const size = view.getUint32(at + 4, true);
    if (view.getUint32(at) === 0x64617461) { // "data"
      return Float32Array.from({ length: size / 2 }, (_, i) => view.getInt16(at + 8 + 2 * i, true) / 32768);
    }
    at += 8 + size + size % 2;
  }
  throw new Error("no data chunk");
}

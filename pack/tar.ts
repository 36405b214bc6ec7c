/**
 * Files → the bytes of a `.tgz`, the same for the same files: no times, no owners, sorted names.
 *
 * @module
 */

import { gzipSync } from "node:zlib";

/** Files by their path in the archive. */
export type Files = ReadonlyMap<string, Uint8Array>;

const BLOCK = 512;

/** Place of gzip's field that names the system; 255: unknown. */
const GZIP_SYSTEM = 9;

/** A gzipped tar archive (POSIX ustar) with all files of mode 0644. Throws RangeError for names over 100 bytes. */
export function tarGzip(files: Files): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  for (const [name, bytes] of [...files].sort(([a], [b]) => a < b ? -1 : 1)) {
    parts.push(header(name, bytes.length), bytes, new Uint8Array((BLOCK - bytes.length % BLOCK) % BLOCK));
  }
  parts.push(new Uint8Array(2 * BLOCK));
  const tar = new Uint8Array(parts.reduce((size, { length }) => size + length, 0));
  let at = 0;
  for (const part of parts) {
    tar.set(part, at);
    at += part.length;
  }
  const gzip = new Uint8Array(gzipSync(tar, { level: 9 })); // no time: Node's zlib writes 0
  gzip[GZIP_SYSTEM] = 255;
  return gzip;
}

function header(name: string, size: number): Uint8Array {
  const block = new Uint8Array(BLOCK);
  const text = (at: number, value: string) => block.set(new TextEncoder().encode(value), at);
  const octal = (at: number, digits: number, value: number) =>
    text(at, value.toString(8).padStart(digits, "0"));
  if (new TextEncoder().encode(name).length > 100) {
    throw new RangeError(`The name is too long for tar: ${name}`);
  }
  text(0, name);
  octal(100, 7, 0o644);
  octal(108, 7, 0); // owner
  octal(116, 7, 0); // group
  octal(124, 11, size);
  octal(136, 11, 0); // time
  text(148, "        "); // the checksum counts as spaces
  text(156, "0");
  text(257, "ustar\0" + "00");
  octal(148, 6, block.reduce((sum, byte) => sum + byte, 0));
  text(154, "\0 ");
  return block;
}

/**
 * The directory of a ZIP archive whose entries are stored, not compressed, as torch.save writes them (format:
 * PKWARE APPNOTE 6.3, sections 4.3 and 4.4, with ZIP64).
 *
 * @module
 */

import { SottoError } from "../errors.ts";
import type { ByteSource } from "./byte_source.ts";

/** A stored entry of an archive. */
export interface ZipEntry {
  readonly name: string;
  /** First byte of its data in the archive. */
  readonly byteOffset: number;
  readonly byteLength: number;
}

const LOCAL_HEADER = { signature: 0x04034b50, bytes: 30 };
const CENTRAL_HEADER = { signature: 0x02014b50, bytes: 46 };
const END_RECORD = { signature: 0x06054b50, bytes: 22 };
const ZIP64_END_RECORD = { signature: 0x06064b50, bytes: 56 };
const ZIP64_LOCATOR = { signature: 0x07064b50, bytes: 20 };
const ZIP64_EXTRA_ID = 1;

/** Longest archive comment: its length has 16 bits. */
const MAX_COMMENT_BYTES = 0xffff;
/** Largest directory and most entries accepted; large-v3 has 1,262 entries in 0.1 MB. */
const MAX_DIRECTORY_BYTES = 16 * 2 ** 20;
const MAX_ENTRIES = 100_000;

/** In a 32-bit field: the value is in the ZIP64 extra field. */
const IN_EXTRA = 0xffffffff;

/** What the central directory says of an entry, before its local header is looked at. */
interface DirectoryEntry {
  readonly name: string;
  readonly byteLength: number;
  readonly headerOffset: number;
}

/**
 * The entries of an archive by name.
 *
 * @throws {SottoError} E_MODEL_FORMAT if the archive is cut or contradicts itself, or an entry is compressed,
 * encrypted, twice there, or overlaps another.
 */
export async function readZipDirectory(source: ByteSource): Promise<Map<string, ZipEntry>> {
  const refuse = (rule: string): SottoError =>
    new SottoError("E_MODEL_FORMAT", `Cannot read ${source.name} as a zip archive: ${rule}`, {
      hint: "The file is cut, damaged, or not from torch.save: fetch it again.",
    });

  const directory = await findDirectory(source, refuse);
  const entries = new Map<string, ZipEntry>();
  for (const entry of parseDirectory(directory.bytes, directory.entries, refuse)) {
    if (entries.has(entry.name)) throw refuse(`two entries are called ${quote(entry.name)}`);
    entries.set(entry.name, await locate(entry, source, directory.offset, refuse));
  }
  let end = 0;
  for (
    const { name, byteOffset, byteLength } of [...entries.values()].sort((a, b) =>
      a.byteOffset - b.byteOffset
    )
  ) {
    if (byteOffset < end) throw refuse(`entry ${quote(name)} overlaps another`);
    end = byteOffset + byteLength;
  }
  return entries;
}

type Refuse = (rule: string) => SottoError;

/** The central directory's bytes, found from the archive's end. */
async function findDirectory(
  source: ByteSource,
  refuse: Refuse,
): Promise<{ readonly bytes: Uint8Array<ArrayBuffer>; readonly offset: number; readonly entries: number }> {
  const tailStart = Math.max(0, source.size - END_RECORD.bytes - MAX_COMMENT_BYTES);
  const tail = new DataView((await source.read(tailStart, source.size - tailStart)).buffer);
  let at = tail.byteLength - END_RECORD.bytes;
  const isEnd = (at: number): boolean =>
    tail.getUint32(at, true) === END_RECORD.signature &&
    at + END_RECORD.bytes + tail.getUint16(at + 20, true) === tail.byteLength;
  while (at >= 0 && !isEnd(at)) at--;
  if (at < 0) throw refuse("it has no end record");

  let entries = tail.getUint16(at + 10, true);
  let size = tail.getUint32(at + 12, true);
  let offset = tail.getUint32(at + 16, true);
  const locatorAt = at - ZIP64_LOCATOR.bytes;
  if (locatorAt >= 0 && tail.getUint32(locatorAt, true) === ZIP64_LOCATOR.signature) {
    const recordAt = tail.getBigUint64(locatorAt + 8, true);
    if (recordAt > BigInt(source.size - ZIP64_END_RECORD.bytes)) {
      throw refuse("its ZIP64 end record is past the end");
    }
    const record = new DataView((await source.read(Number(recordAt), ZIP64_END_RECORD.bytes)).buffer);
    if (record.getUint32(0, true) !== ZIP64_END_RECORD.signature) throw refuse("it has no ZIP64 end record");
    entries = safeNumber(record.getBigUint64(32, true), refuse);
    size = safeNumber(record.getBigUint64(40, true), refuse);
    offset = safeNumber(record.getBigUint64(48, true), refuse);
  }
  if (entries > MAX_ENTRIES) throw refuse(`at most ${MAX_ENTRIES} entries, got ${entries}`);
  if (size > MAX_DIRECTORY_BYTES) {
    throw refuse(`a directory of at most ${MAX_DIRECTORY_BYTES} bytes, got ${size}`);
  }
  if (offset + size > source.size) {
    throw refuse(`its directory ends at byte ${offset + size}, the file at ${source.size}`);
  }
  return { bytes: await source.read(offset, size), offset, entries };
}

function* parseDirectory(
  bytes: Uint8Array<ArrayBuffer>,
  count: number,
  refuse: Refuse,
): Generator<DirectoryEntry> {
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + CENTRAL_HEADER.bytes > bytes.length || view.getUint32(at, true) !== CENTRAL_HEADER.signature) {
      throw refuse(`entry ${i} of its directory is damaged`);
    }
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((field) =>
      view.getUint16(at + field, true)
    );
    const nameAt = at + CENTRAL_HEADER.bytes;
    const next = nameAt + nameBytes + extraBytes + commentBytes;
    if (next > bytes.length) throw refuse(`entry ${i} of its directory is damaged`);
    const name = new TextDecoder().decode(bytes.subarray(nameAt, nameAt + nameBytes));

    const flags = view.getUint16(at + 8, true);
    const method = view.getUint16(at + 10, true);
    if (flags & 1) throw refuse(`entry ${quote(name)} is encrypted`);
    if (method !== 0) {
      throw refuse(`entry ${quote(name)} must be stored, it is compressed by method ${method}`);
    }

    const extra = new DataView(bytes.buffer, nameAt + nameBytes, extraBytes);
    const wide = zip64Values(extra);
    const field = (offset: number): number => {
      const value = view.getUint32(at + offset, true);
      if (value !== IN_EXTRA) return value;
      const next = wide.shift();
      if (next === undefined) throw refuse(`entry ${quote(name)} lacks its ZIP64 sizes`);
      return safeNumber(next, refuse);
    };
    // The ZIP64 field holds only what did not fit, in this order.
    const byteLength = field(24);
    const storedLength = field(20);
    const headerOffset = field(42);
    if (byteLength !== storedLength) throw refuse(`entry ${quote(name)} is stored with two sizes`);
    yield { name, byteLength, headerOffset };
    at = next;
  }
}

/** The 64-bit numbers of the ZIP64 extra field; none where there is no such field. */
function zip64Values(extra: DataView): bigint[] {
  for (let at = 0; at + 4 <= extra.byteLength;) {
    const id = extra.getUint16(at, true);
    const length = extra.getUint16(at + 2, true);
    if (at + 4 + length > extra.byteLength) break;
    if (id === ZIP64_EXTRA_ID) {
      return Array.from({ length: length >> 3 }, (_, i) => extra.getBigUint64(at + 4 + 8 * i, true));
    }
    at += 4 + length;
  }
  return [];
}

/** Where the data begins: behind the local header, whose extra field may be longer than the directory's. */
async function locate(
  { name, byteLength, headerOffset }: DirectoryEntry,
  source: ByteSource,
  directoryOffset: number,
  refuse: Refuse,
): Promise<ZipEntry> {
  if (headerOffset + LOCAL_HEADER.bytes > directoryOffset) {
    throw refuse(`entry ${quote(name)} begins past the data`);
  }
  const header = new DataView((await source.read(headerOffset, LOCAL_HEADER.bytes)).buffer);
  if (header.getUint32(0, true) !== LOCAL_HEADER.signature) {
    throw refuse(`entry ${quote(name)} has no local header`);
  }
  const byteOffset = headerOffset + LOCAL_HEADER.bytes + header.getUint16(26, true) +
    header.getUint16(28, true);
  if (byteOffset + byteLength > directoryOffset) throw refuse(`entry ${quote(name)} ends past the data`);
  return { name, byteOffset, byteLength };
}

function safeNumber(value: bigint, refuse: Refuse): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw refuse(`a size of ${value} bytes overflows`);
  return Number(value);
}

function quote(name: string): string {
  return JSON.stringify(name.slice(0, 200));
}

/**
 * Writes a ZIP archive of stored entries, aligned to 64 bytes as torch.save does.
 *
 * @module
 */

import { crc32 } from "node:zlib";
import { ByteWriter } from "./byte_writer.ts";

/** An entry to write. */
export interface NewZipEntry {
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

const ALIGNMENT = 64;

/** The archive's bytes. `zip64` writes every size and offset as the ZIP64 extension does. */
export function writeZip(entries: readonly NewZipEntry[], { zip64 = false } = {}): Uint8Array<ArrayBuffer> {
  const archive = new ByteWriter();
  const directory = new ByteWriter();
  for (const { name, bytes } of entries) {
    const headerOffset = archive.length;
    const crc = crc32(bytes);
    const size = zip64 ? 0xffffffff : bytes.length;
    const wide = new ByteWriter();
    if (zip64) wide.uint16(1, 16).uint64(bytes.length, bytes.length);
    const padding = -(archive.length + 30 + name.length + wide.length + 4) & (ALIGNMENT - 1);
    const extra = wide.uint16(0x4246, padding).bytes(new Uint8Array(padding).fill(0x5a)).finish(); // "FB", torch's padding
    const common = (writer: ByteWriter): ByteWriter => writer.uint16(0, 0, 0, 0x21).uint32(crc, size, size);
    common(archive.uint32(0x04034b50).uint16(zip64 ? 45 : 20)).uint16(name.length, extra.length)
      .text(name).bytes(extra).bytes(bytes);

    const centralExtra = new ByteWriter();
    if (zip64) centralExtra.uint16(1, 24).uint64(bytes.length, bytes.length, headerOffset);
    common(directory.uint32(0x02014b50).uint16(45, zip64 ? 45 : 20)).uint16(
      name.length,
      centralExtra.length,
      0,
      0,
      0,
    )
      .uint32(0, zip64 ? 0xffffffff : headerOffset).text(name).bytes(centralExtra.finish());
  }
  const directoryOffset = archive.length;
  archive.bytes(directory.finish());
  if (zip64) {
    const recordOffset = archive.length;
    archive.uint32(0x06064b50).uint64(44).uint16(45, 45).uint32(0, 0)
      .uint64(entries.length, entries.length, directory.length, directoryOffset)
      .uint32(0x07064b50, 0).uint64(recordOffset).uint32(1);
  }
  const count = zip64 ? 0xffff : entries.length;
  archive.uint32(0x06054b50).uint16(0, 0, count, count)
    .uint32(zip64 ? 0xffffffff : directory.length, zip64 ? 0xffffffff : directoryOffset).uint16(0);
  return archive.finish();
}

/**
 * The outer structure of an xclbin: header and sections, every range checked before anything is read from it.
 *
 * @module
 */

import { FieldReader } from "./bytes.ts";
import {
  HEADER,
  HEADER_BYTES,
  MAGIC,
  MAX_SECTIONS,
  SECTION,
  SECTION_HEADER_BYTES,
  SECTION_NAME_BYTES,
  sectionKindName,
} from "./layout.ts";
import { refuseXclbin } from "./refuse.ts";

/** One section: a kind, a name, and bytes. */
export interface XclbinSection {
  /** Number of `axlf_section_kind`, such as 32 for AIE_PARTITION. */
  readonly kind: number;
  /** Name of the kind, such as `AIE_PARTITION`. */
  readonly kindName: string;
  /** Name in the file, often empty. */
  readonly name: string;
  /** Where it starts in the file, bytes. */
  readonly offset: number;
  /** A view into the file. */
  readonly bytes: Uint8Array;
}

/** Header and sections of a container. */
export interface XclbinEnvelope {
  /** 32 hexadecimal digits with dashes; what libxrt finds a registered overlay by. */
  readonly uuid: string;
  /** Of the tool that wrote it, such as `2.18.0`. */
  readonly version: string;
  /** Seconds since 1970. */
  readonly timeStamp: bigint;
  /** In file order. */
  readonly sections: readonly XclbinSection[];
}

/** 16 bytes as `8-4-4-4-12` hexadecimal digits. */
export function uuidText(bytes: Uint8Array): string {
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

/** Refuses sections that share bytes; a section without bytes shares none. */
function refuseOverlaps(sections: readonly XclbinSection[], headersEnd: number): void {
  let end = headersEnd;
  let before = "section headers";
  const filled = sections.filter((section) => section.bytes.length > 0);
  for (const section of filled.sort((a, b) => a.offset - b.offset)) {
    if (section.offset < end) {
      refuseXclbin(
        `section ${section.kindName} must not overlap the ${before}, which end at ${end}`,
        section.offset,
      );
    }
    end = section.offset + section.bytes.length;
    before = `bytes of section ${section.kindName}`;
  }
}

/**
 * Reads header and sections.
 *
 * @throws {SottoError} E_XCLBIN if the bytes are not an xclbin, or are cut, or a section does not lie inside.
 */
export function readEnvelope(bytes: Uint8Array): XclbinEnvelope {
  const file = new FieldReader(bytes, "file");
  const magic = new TextDecoder("latin1").decode(bytes.subarray(0, MAGIC.length));
  if (magic !== MAGIC) refuseXclbin(`it must start with "xclbin2"`, JSON.stringify(magic));
  file.require(0, HEADER_BYTES, "header");

  const signature = file.u32(HEADER.signatureLength, "signature length") | 0;
  if (signature < -1) refuseXclbin("its signature length must be -1 (none) or more", signature);
  const length = file.size(HEADER.length, "length");
  if (length + Math.max(signature, 0) !== bytes.length) {
    refuseXclbin(`its header says ${length} bytes`, `${bytes.length} bytes`);
  }

  const count = file.u32(HEADER.sectionCount, "number of sections");
  if (count > MAX_SECTIONS) refuseXclbin(`it may have at most ${MAX_SECTIONS} sections`, count);
  file.require(HEADER_BYTES, count * SECTION_HEADER_BYTES, `${count} section headers`);
  const sections = Array.from({ length: count }, (_, index) => {
    const at = HEADER_BYTES + index * SECTION_HEADER_BYTES;
    const kind = file.u32(at + SECTION.kind, "section kind");
    const kindName = sectionKindName(kind);
    const offset = file.size(at + SECTION.offset, `offset of section ${kindName}`);
    const size = file.size(at + SECTION.size, `size of section ${kindName}`);
    if (offset + size > length) {
      refuseXclbin(
        `section ${kindName} must end inside its ${length} bytes`,
        `${size} bytes at ${offset}`,
      );
    }
    return {
      kind,
      kindName,
      name: file.text(at + SECTION.name, SECTION_NAME_BYTES, "section name"),
      offset,
      bytes: file.slice(offset, size, `section ${kindName}`),
    };
  });
  refuseOverlaps(sections, HEADER_BYTES + count * SECTION_HEADER_BYTES);

  const part = (offset: number) => file.u8(offset, "version");
  return {
    uuid: uuidText(file.slice(HEADER.uuid, 16, "UUID")),
    version: [
      part(HEADER.versionMajor),
      part(HEADER.versionMinor),
      file.u16(HEADER.versionPatch, "version"),
    ].join("."),
    timeStamp: file.u64(HEADER.timeStamp, "time stamp"),
    sections,
  };
}

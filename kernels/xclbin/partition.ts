/**
 * AIE_PARTITION: how many columns an overlay wants, and the program images (PDIs) that configure them.
 *
 * @module
 */

import { FieldReader } from "./bytes.ts";
import { CDO_GROUP, CDO_TYPES, PARTITION, PDI } from "./layout.ts";
import { refuseXclbin } from "./refuse.ts";
import { uuidText } from "./sections.ts";

/** The kernels a PDI serves. */
export interface CdoGroup {
  /** Usually `DPU`. */
  readonly name: string;
  /** Usually `PRIMARY`. */
  readonly type: string;
  /** Number of the PDI. */
  readonly pdiId: bigint;
  /** Ids of the kernels, which IP_LAYOUT repeats. */
  readonly kernelIds: readonly bigint[];
  /** Groups to configure before this one. */
  readonly preGroups: readonly bigint[];
}

/** One program image. */
export interface PartitionPdi {
  /** `8-4-4-4-12` hexadecimal digits. */
  readonly uuid: string;
  /** What the firmware configures the array with; a view into the file. */
  readonly image: Uint8Array;
  /** Which kernels it serves. */
  readonly groups: readonly CdoGroup[];
}

/** What an overlay asks of the array. */
export interface AiePartition {
  /** Usually empty. */
  readonly name: string;
  /** Operations per cycle, for the driver's estimate of load. */
  readonly operationsPerCycle: number;
  /** Identifies the inference function. */
  readonly inferenceFingerprint: bigint;
  /** Identifies the functions before and after. */
  readonly prePostFingerprint: bigint;
  /** Version control id of the kernels, often empty. */
  readonly kernelCommitId: string;
  /** Columns it takes. */
  readonly columnWidth: number;
  /** Columns it may start at. */
  readonly startColumns: readonly number[];
  /** Program images. */
  readonly pdis: readonly PartitionPdi[];
}

/** The most elements an array may have: real ones have one; nested arrays that share bytes must not multiply. */
const MAX_ELEMENTS = 64;

/** Reads an array that a count and an offset at `field` describe, its elements `size` bytes each. */
function elements<T>(
  section: FieldReader,
  field: number,
  size: number,
  what: string,
  read: (offset: number) => T,
): T[] {
  const count = section.u32(field, what);
  const offset = section.u32(field + 4, what);
  if (count === 0) return [];
  if (count > MAX_ELEMENTS) refuseXclbin(`a partition may have at most ${MAX_ELEMENTS} ${what}`, count);
  section.require(offset, count * size, `${count} ${what}`);
  return Array.from({ length: count }, (_, index) => read(offset + index * size));
}

function readGroup(section: FieldReader, at: number): CdoGroup {
  const u64 = (what: string) => (offset: number) => section.u64(offset, what);
  const type = section.u8(at + CDO_GROUP.type, "CDO group type");
  return {
    name: section.terminated(section.u32(at + CDO_GROUP.name, "CDO group name"), "CDO group name"),
    type: CDO_TYPES[type] ?? `TYPE_${type}`,
    pdiId: section.u64(at + CDO_GROUP.pdiId, "PDI id"),
    kernelIds: elements(section, at + CDO_GROUP.kernelIds, 8, "kernel ids", u64("kernel id")),
    preGroups: elements(section, at + CDO_GROUP.preGroups, 8, "preceding groups", u64("preceding group")),
  };
}

function readPdi(section: FieldReader, at: number): PartitionPdi {
  const size = section.u32(at + PDI.image, "PDI image");
  const offset = section.u32(at + PDI.image + 4, "PDI image");
  return {
    uuid: uuidText(section.slice(at + PDI.uuid, 16, "PDI UUID")),
    image: section.slice(offset, size, "PDI image"),
    groups: elements(
      section,
      at + PDI.groups,
      CDO_GROUP.bytes,
      "CDO groups",
      (offset) => readGroup(section, offset),
    ),
  };
}

/**
 * Reads the section.
 *
 * @throws {SottoError} E_XCLBIN if an array or a text does not lie inside.
 */
export function readPartition(bytes: Uint8Array): AiePartition {
  const section = new FieldReader(bytes, "section AIE_PARTITION");
  section.require(0, PARTITION.bytes, "fixed part");
  const commit = section.u32(PARTITION.kernelCommitId, "kernel commit id"); // 0 in files of older tools
  return {
    name: section.terminated(section.u32(PARTITION.name, "partition name"), "partition name"),
    operationsPerCycle: section.u32(PARTITION.operationsPerCycle, "operations per cycle"),
    inferenceFingerprint: section.u64(PARTITION.inferenceFingerprint, "inference fingerprint"),
    prePostFingerprint: section.u64(PARTITION.prePostFingerprint, "pre/post fingerprint"),
    kernelCommitId: commit === 0 ? "" : section.terminated(commit, "kernel commit id"),
    columnWidth: section.u16(PARTITION.columnWidth, "column width"),
    startColumns: elements(
      section,
      PARTITION.startColumns,
      2,
      "start columns",
      (offset) => section.u16(offset, "start column"),
    ),
    pdis: elements(section, PARTITION.pdis, PDI.bytes, "PDIs", (offset) => readPdi(section, offset)),
  };
}

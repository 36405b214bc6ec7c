/**
 * Where things lie in an xclbin, the container that AMD's runtime (XRT) loads overlays from. It is called AXLF after
 * its first structure; the field offsets here are those of XRT's public header `xrt/detail/xclbin.h`, little-endian.
 *
 *     0    "xclbin2\0"            304  file length u64          432  (next or debug names)
 *     8    signature length i32   312  time stamp u64           448  number of sections u32
 *     12   0xff × 284             328  version: patch u16,      456  section headers, 40 bytes each:
 *     296  unique id u64               major u8, minor u8            kind u32, name 16, pad 4, offset u64, size u64
 *                                 416  UUID, 16 bytes
 *
 * The sections follow, each at a multiple of 8; behind them there may be a text that mirrors the headers.
 *
 * @module
 */

/** The first eight bytes. */
export const MAGIC = "xclbin2\0";
/** Bytes before the section headers. */
export const HEADER_BYTES = 456;
/** Bytes of one section header. */
export const SECTION_HEADER_BYTES = 40;
/** Sections start at multiples of this. */
export const SECTION_ALIGNMENT = 8;
/** The most sections a container may name; XRT's own limit is 65,536, real ones have about ten. */
export const MAX_SECTIONS = 1024;

/** Offsets of the header's fields, bytes. */
export const HEADER = {
  signatureLength: 8,
  filler: 12,
  fillerEnd: 296,
  uniqueId: 296,
  length: 304,
  timeStamp: 312,
  versionPatch: 328,
  versionMajor: 330,
  versionMinor: 331,
  uuid: 416,
  sectionCount: 448,
} as const;

/** Offsets of a section header's fields, bytes. */
export const SECTION = { kind: 0, name: 4, offset: 24, size: 32 } as const;
/** Bytes of a section's name, NUL included. */
export const SECTION_NAME_BYTES = 16;

/** The sections that matter to NPUs, by the number that says what they are. */
export const SECTION_KIND = {
  EMBEDDED_METADATA: 2,
  MEM_TOPOLOGY: 6,
  CONNECTIVITY: 7,
  IP_LAYOUT: 8,
  BUILD_METADATA: 14,
  USER_METADATA: 16,
  PARTITION_METADATA: 20,
  ASK_GROUP_TOPOLOGY: 26,
  ASK_GROUP_CONNECTIVITY: 27,
  AIE_PARTITION: 32,
} as const;

/** The name of a section kind, or `KIND_n` for those that NPUs do not use. */
export function sectionKindName(kind: number): string {
  const found = Object.entries(SECTION_KIND).find(([, number]) => number === kind);
  return found === undefined ? `KIND_${kind}` : found[0];
}

/** AIE_PARTITION: offsets in the 184 bytes at its start. An array is a count u32 and an offset u32 in the section. */
export const PARTITION = {
  name: 4,
  operationsPerCycle: 8,
  inferenceFingerprint: 16,
  prePostFingerprint: 24,
  columnWidth: 32,
  startColumns: 40,
  pdis: 120,
  kernelCommitId: 128,
  bytes: 184,
} as const;

/** One PDI of AIE_PARTITION: the program image of an overlay, 96 bytes. */
export const PDI = { uuid: 0, image: 16, groups: 24, bytes: 96 } as const;

/** One CDO group of a PDI, 96 bytes: which kernels it serves. */
export const CDO_GROUP = { name: 0, type: 4, pdiId: 8, kernelIds: 16, preGroups: 24, bytes: 96 } as const;

/** The kinds of CDO group, by number. */
export const CDO_TYPES: readonly string[] = ["UNKNOWN", "PRIMARY", "LITE", "PRE_POST"];

/** MEM_TOPOLOGY and ASK_GROUP_TOPOLOGY: a count u32, 4 bytes of padding, then entries of 40 bytes. */
export const MEMORY = {
  type: 0,
  used: 1,
  sizeKB: 8,
  baseAddress: 16,
  tag: 24,
  tagBytes: 16,
  bytes: 40,
} as const;

/** The kinds of memory bank, by number. */
export const MEMORY_TYPES: readonly string[] = [
  "MEM_DDR3",
  "MEM_DDR4",
  "MEM_DRAM",
  "MEM_STREAMING",
  "MEM_PREALLOCATED_GLOB",
  "MEM_ARE",
  "MEM_HBM",
  "MEM_BRAM",
  "MEM_URAM",
  "MEM_STREAMING_CONNECTION",
  "MEM_HOST",
  "MEM_PS_KERNEL",
];

/** IP_LAYOUT: a count u32, 4 bytes of padding, then entries of 80 bytes. */
export const IP = {
  type: 0,
  properties: 4,
  kernelId: 6,
  baseAddress: 8,
  name: 16,
  nameBytes: 64,
  bytes: 80,
} as const;
/** An entry of IP_LAYOUT that is a kernel. */
export const IP_PS_KERNEL = 7;

/** CONNECTIVITY and ASK_GROUP_CONNECTIVITY: a count u32, then three i32 each: argument, IP, memory bank. */
export const CONNECTION_BYTES = 12;

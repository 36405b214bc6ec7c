/**
 * Writes an xclbin: what AMD's `xclbinutil` makes of a PDI and three JSON files.
 *
 * The same parts always give the same bytes: the UUID is taken from a SHA-256 of the sections, the time stamp is 0
 * unless one is given.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { ByteBuilder } from "./bytes.ts";
import {
  HEADER,
  HEADER_BYTES,
  MAGIC,
  SECTION,
  SECTION_ALIGNMENT,
  SECTION_HEADER_BYTES,
  SECTION_KIND,
  SECTION_NAME_BYTES,
} from "./layout.ts";
import { JsonPart } from "./parts.ts";
import { connectionsOf, packConnections, packIps, packKernelMetadata, packMemory } from "./write_kernels.ts";
import { packPartition } from "./write_partition.ts";

/** What a container is packed from. */
export interface XclbinParts {
  /** Text of the partition file: `{"aie_partition": …}`. */
  readonly partition: string;
  /** Text of the kernel file: `{"ps-kernels": {"kernels": […]}}`. */
  readonly kernels: string;
  /** Text of the memory file: `{"mem_topology": …}`. */
  readonly memory: string;
  /** The bytes of a PDI that the partition names. */
  readonly pdi: (fileName: string) => Uint8Array;
  /** Seconds since 1970; default 0, so that the same parts give the same file. */
  readonly timeStamp?: bigint;
}

/** A section to write. */
export interface SectionToWrite {
  /** Number of {@linkcode SECTION_KIND}. */
  readonly kind: number;
  /** At most 15 bytes; longer names are cut. */
  readonly name: string;
  /** Its content. */
  readonly bytes: Uint8Array;
}

/** The version of the container format that XRT's tools write today: 2.18. */
const VERSION = { major: 2, minor: 18, patch: 0 };

/**
 * Puts sections into a container, in their order.
 *
 * @param timeStamp Seconds since 1970.
 */
export function writeContainer(
  sections: readonly SectionToWrite[],
  timeStamp = 0n,
): Uint8Array<ArrayBuffer> {
  const file = new ByteBuilder();
  file.append(new Uint8Array(HEADER_BYTES + sections.length * SECTION_HEADER_BYTES));
  const offsets = sections.map((section) => {
    file.align(SECTION_ALIGNMENT);
    return file.append(section.bytes);
  });
  const bytes = file.finish();
  const view = new DataView(bytes.buffer);
  const encoder = new TextEncoder();

  bytes.set(encoder.encode(MAGIC));
  view.setInt32(HEADER.signatureLength, -1, true);
  bytes.fill(0xff, HEADER.filler, HEADER.fillerEnd);
  view.setBigUint64(HEADER.uniqueId, timeStamp, true);
  view.setBigUint64(HEADER.length, BigInt(bytes.length), true);
  view.setBigUint64(HEADER.timeStamp, timeStamp, true);
  view.setUint16(HEADER.versionPatch, VERSION.patch, true);
  view.setUint8(HEADER.versionMajor, VERSION.major);
  view.setUint8(HEADER.versionMinor, VERSION.minor);
  view.setUint32(HEADER.sectionCount, sections.length, true);

  const digest = createHash("sha256");
  for (const [index, section] of sections.entries()) {
    const at = HEADER_BYTES + index * SECTION_HEADER_BYTES;
    view.setUint32(at + SECTION.kind, section.kind, true);
    bytes.set(encoder.encode(section.name).subarray(0, SECTION_NAME_BYTES - 1), at + SECTION.name);
    view.setBigUint64(at + SECTION.offset, BigInt(offsets[index]), true);
    view.setBigUint64(at + SECTION.size, BigInt(section.bytes.length), true);
    digest.update(`${section.kind} ${section.bytes.length}\n`).update(section.bytes);
  }
  bytes.set(digest.digest().subarray(0, 16), HEADER.uuid);
  return bytes;
}

/**
 * Packs a container for an NPU.
 *
 * @throws {SottoError} E_XCLBIN if a part is not what it should be, with its place in the JSON.
 */
export function packXclbin(parts: XclbinParts): Uint8Array<ArrayBuffer> {
  const memory = JsonPart.parse(parts.memory, "memory");
  const kernels = JsonPart.parse(parts.kernels, "kernels").get("ps-kernels").get("kernels").someList();
  const connections = connectionsOf(kernels, memory);
  const topology = packMemory(memory, connections);
  const section = (kind: number, bytes: Uint8Array, name = ""): SectionToWrite => ({ kind, name, bytes });
  return writeContainer([
    section(SECTION_KIND.MEM_TOPOLOGY, topology, "mem_topology"),
    section(
      SECTION_KIND.AIE_PARTITION,
      packPartition(JsonPart.parse(parts.partition, "partition"), parts.pdi),
      "aie_partition",
    ),
    section(SECTION_KIND.EMBEDDED_METADATA, packKernelMetadata(kernels)),
    section(SECTION_KIND.IP_LAYOUT, packIps(kernels)),
    section(SECTION_KIND.CONNECTIVITY, packConnections(connections)),
    // Groups of banks: an argument has one bank here, so every group is that bank, and the list repeats itself.
    section(SECTION_KIND.ASK_GROUP_CONNECTIVITY, packConnections([...connections, ...connections])),
    section(SECTION_KIND.ASK_GROUP_TOPOLOGY, topology),
  ], parts.timeStamp ?? 0n);
}

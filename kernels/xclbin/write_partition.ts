/**
 * Packs AIE_PARTITION from its JSON and the PDIs that it names. The order of what follows the fixed part is that of
 * AMD's `xclbinutil`, so that the same parts give the same bytes.
 *
 * @module
 */

import { ByteBuilder } from "./bytes.ts";
import { CDO_GROUP, CDO_TYPES, PARTITION, PDI, SECTION_ALIGNMENT } from "./layout.ts";
import type { JsonPart } from "./parts.ts";
import { refusePacking } from "./refuse.ts";

/** What lies behind the fixed part: texts, arrays, images, each from a multiple of 8 on. */
class Heap {
  readonly #builder = new ByteBuilder();

  /** Appends and answers the offset in the section. */
  add(bytes: Uint8Array): number {
    const offset = PARTITION.bytes + this.#builder.append(bytes);
    this.#builder.align(SECTION_ALIGNMENT);
    return offset;
  }

  addText(text: string): number {
    return this.add(new TextEncoder().encode(`${text}\0`));
  }

  addWords(values: readonly bigint[]): number {
    return this.add(new Uint8Array(BigUint64Array.from(values).buffer));
  }

  finish(): Uint8Array {
    return this.#builder.finish();
  }
}

function uuidBytes(part: JsonPart): Uint8Array {
  const digits = part.someText().replaceAll("0x", "").replaceAll("-", "").padStart(32, "0");
  if (!/^[0-9a-fA-F]{32}$/.test(digits)) refusePacking("a PDI's uuid must be 32 hexadecimal digits", digits);
  return Uint8Array.from(digits.match(/../g)!, (byte) => parseInt(byte, 16));
}

function setArray(view: DataView, at: number, count: number, offset: number): void {
  view.setUint32(at, count, true);
  view.setUint32(at + 4, offset, true);
}

function packGroup(group: JsonPart, heap: Heap): Uint8Array {
  const bytes = new Uint8Array(CDO_GROUP.bytes);
  const view = new DataView(bytes.buffer);
  view.setUint32(CDO_GROUP.name, heap.addText(group.get("name").text("")), true);
  bytes[CDO_GROUP.type] = group.get("type").choice(CDO_TYPES);
  view.setBigUint64(CDO_GROUP.pdiId, group.get("pdi_id").integer(64), true);
  for (
    const [at, key] of [
      [CDO_GROUP.kernelIds, "dpu_kernel_ids"],
      [CDO_GROUP.preGroups, "pre_cdo_groups"],
    ] as const
  ) {
    const ids = group.get(key).list().map((id) => id.integer(64));
    if (ids.length > 0) setArray(view, at, ids.length, heap.addWords(ids));
  }
  return bytes;
}

function packPdi(part: JsonPart, image: (fileName: string) => Uint8Array, heap: Heap): Uint8Array {
  const bytes = new Uint8Array(PDI.bytes);
  const view = new DataView(bytes.buffer);
  bytes.set(uuidBytes(part.get("uuid")), PDI.uuid);
  const content = image(part.get("file_name").someText());
  setArray(view, PDI.image, content.length, heap.add(content));
  const groups = part.get("cdo_groups").someList().map((group) => packGroup(group, heap));
  const offsets = groups.map((group) => heap.add(group));
  setArray(view, PDI.groups, groups.length, offsets[0]);
  return bytes;
}

/**
 * Packs the section.
 *
 * @param json The partition file, whose top member is `aie_partition`.
 * @param image The PDI of a `file_name`.
 * @throws {SottoError} E_XCLBIN if something is missing or out of range.
 */
export function packPartition(json: JsonPart, image: (fileName: string) => Uint8Array): Uint8Array {
  const root = json.get("aie_partition");
  const fixed = new Uint8Array(PARTITION.bytes);
  const view = new DataView(fixed.buffer);
  const heap = new Heap();

  view.setUint32(PARTITION.name, heap.addText(""), true);
  view.setUint32(
    PARTITION.operationsPerCycle,
    Number(root.get("operations_per_cycle").integer(32, 0n)),
    true,
  );
  view.setBigUint64(PARTITION.inferenceFingerprint, root.get("inference_fingerprint").integer(64, 0n), true);
  view.setBigUint64(PARTITION.prePostFingerprint, root.get("pre_post_fingerprint").integer(64, 0n), true);
  view.setUint32(PARTITION.kernelCommitId, heap.addText(root.get("kernel_commit_id").text("")), true);

  const partition = root.get("partition");
  const width = Number(partition.get("column_width").integer(16));
  if (width === 0) refusePacking("a partition must be one or more columns wide", 0);
  view.setUint16(PARTITION.columnWidth, width, true);
  const columns = Uint16Array.from(
    partition.get("start_columns").someList(),
    (column) => Number(column.integer(16)),
  );
  setArray(view, PARTITION.startColumns, columns.length, heap.add(new Uint8Array(columns.buffer)));

  const pdis = root.get("PDIs").someList().map((pdi) => packPdi(pdi, image, heap));
  const offsets = pdis.map((pdi) => heap.add(pdi));
  setArray(view, PARTITION.pdis, pdis.length, offsets[0]);

  const section = new ByteBuilder();
  section.append(fixed);
  section.append(heap.finish());
  return section.finish();
}

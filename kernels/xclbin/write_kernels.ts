/**
 * Packs what describes kernels: EMBEDDED_METADATA (XML), IP_LAYOUT, CONNECTIVITY, and the memory banks.
 *
 * @module
 */

import { ByteBuilder } from "./bytes.ts";
import { CONNECTION_BYTES, IP, IP_PS_KERNEL, MEMORY, MEMORY_TYPES } from "./layout.ts";
import type { JsonPart } from "./parts.ts";
import { refusePacking } from "./refuse.ts";

/** How an argument is passed, by the number the metadata gives it. */
const QUALIFIERS = ["SCALAR", "GLOBAL", "CONSTANT", "LOCAL", "STREAM"];
const SUBTYPES = ["PS", "DPU"];
const FUNCTIONALS = ["DPU", "PrePost"];
/** Bytes of the C types an argument may have; every pointer takes 8. */
const TYPE_BYTES: Readonly<Record<string, number>> = {
  char: 1,
  unsignedchar: 1,
  int8_t: 1,
  uint8_t: 1,
  int16_t: 2,
  uint16_t: 2,
  float: 4,
  int32_t: 4,
  uint32_t: 4,
  int64_t: 8,
  uint64_t: 8,
  // As xclbinutil has it: room for a 64-bit int.
  int: 8,
  unsignedint: 8,
};

/** An argument and the bank its buffers lie in, by index. */
export interface PackedConnection {
  readonly argument: number;
  readonly ip: number;
  readonly bank: number;
}

function attributeText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;").replaceAll(
    ">",
    "&gt;",
  );
}

function element(depth: number, name: string, attributes: readonly (readonly [string, string])[]): string {
  const text = attributes.map(([key, value]) => ` ${key}="${attributeText(value)}"`).join("");
  return `${"  ".repeat(depth)}<${name}${text}`;
}

function argumentBytes(type: string): number {
  const name = type.replaceAll(" ", "");
  const bytes = name.endsWith("*") ? 8 : Object.hasOwn(TYPE_BYTES, name) ? TYPE_BYTES[name] : 0;
  if (bytes === 0) refusePacking("an argument's type must be a C scalar or a pointer", `"${type}"`);
  return bytes;
}

function kernelXml(kernel: JsonPart): string[] {
  const lines = [
    element(4, "kernel", [["name", kernel.get("name").someText()], ["language", "c"], ["type", "dpu"]]) + ">",
  ];
  const extended = kernel.get("extended-data");
  if (extended.present) {
    const attributes = [
      ["subtype", String(extended.get("subtype").choice(SUBTYPES))],
      ["functional", String(extended.get("functional").choice(FUNCTIONALS))],
      ["dpu_kernel_id", extended.get("dpu_kernel_id").someText()],
    ] as const;
    lines.push(element(5, "extended-data", attributes) + "/>");
  }
  for (const [index, argument] of kernel.get("arguments").list().entries()) {
    const type = argument.get("type").someText();
    const size = `0x${argumentBytes(type).toString(16)}`;
    lines.push(
      element(5, "arg", [
        ["name", argument.get("name").someText()],
        ["addressQualifier", String(argument.get("address-qualifier").choice(QUALIFIERS))],
        ["id", String(index)],
        ["size", size],
        ["offset", argument.get("offset").someText()],
        ["hostOffset", "0x0"],
        ["hostSize", size],
        ["type", type],
      ]) + "/>",
    );
  }
  for (const instance of kernel.get("instances").someList()) {
    lines.push(element(5, "instance", [["name", instance.get("name").someText()]]) + "/>");
  }
  return [...lines, "        </kernel>"];
}

/** The XML of all kernels. */
export function packKernelMetadata(kernels: readonly JsonPart[]): Uint8Array {
  const around = ["project", "platform", "device", "core"];
  const names = kernels.map((kernel) => kernel.get("name").someText());
  if (new Set(names).size < names.length) {
    refusePacking("kernels must have names of their own", names.join(", "));
  }
  const lines = [
    '<?xml version="1.0" encoding="utf-8"?>',
    ...around.map((name, depth) => `${"  ".repeat(depth)}<${name}>`),
    ...kernels.flatMap(kernelXml),
    ...around.toReversed().map((name, depth) => `${"  ".repeat(around.length - 1 - depth)}</${name}>`),
  ];
  return new TextEncoder().encode(lines.join("\n") + "\n");
}

/** Text in a field of `size` bytes, its NUL included. */
function setText(bytes: Uint8Array, at: number, text: string, size: number): void {
  const encoded = new TextEncoder().encode(text);
  if (encoded.length >= size) refusePacking(`"${text}" must take less than ${size} bytes`, encoded.length);
  bytes.set(encoded, at);
}

/** MEM_TOPOLOGY of the memory file, whose top member is `mem_topology`. Banks that are connected count as used. */
export function packMemory(json: JsonPart, connections: readonly PackedConnection[]): Uint8Array {
  const banks = json.get("mem_topology").get("m_mem_data").someList();
  const bytes = new Uint8Array(8 + banks.length * MEMORY.bytes);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, banks.length, true);
  for (const [index, bank] of banks.entries()) {
    const at = 8 + index * MEMORY.bytes;
    const connected = connections.some((connection) => connection.bank === index);
    bytes[at + MEMORY.type] = bank.get("m_type").choice(MEMORY_TYPES);
    bytes[at + MEMORY.used] = connected ? 1 : Number(bank.get("m_used").integer(8, 0n));
    view.setBigUint64(at + MEMORY.sizeKB, bank.get("m_sizeKB").integer(64), true);
    view.setBigUint64(at + MEMORY.baseAddress, bank.get("m_base_address").integer(64), true);
    setText(bytes, at + MEMORY.tag, bank.get("m_tag").someText(), MEMORY.tagBytes);
  }
  return bytes;
}

/** IP_LAYOUT: every instance of every kernel. */
export function packIps(kernels: readonly JsonPart[]): Uint8Array {
  const entries = kernels.flatMap((kernel) =>
    kernel.get("instances").someList().map((instance) => ({
      name: `${kernel.get("name").someText()}:${instance.get("name").someText()}`,
      extended: kernel.get("extended-data"),
    }))
  );
  const bytes = new Uint8Array(8 + entries.length * IP.bytes);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, entries.length, true);
  for (const [index, { name, extended }] of entries.entries()) {
    const at = 8 + index * IP.bytes;
    view.setUint32(at + IP.type, IP_PS_KERNEL, true);
    if (extended.present) {
      const subtype = extended.get("subtype").choice(SUBTYPES);
      const functional = extended.get("functional").choice(FUNCTIONALS);
      view.setUint16(at + IP.properties, subtype | functional << 4, true);
      view.setUint16(at + IP.kernelId, Number(extended.get("dpu_kernel_id").integer(12)), true);
    }
    view.setBigUint64(at + IP.baseAddress, 0xffff_ffff_ffff_ffffn, true); // no registers to map
    setText(bytes, at + IP.name, name, IP.nameBytes);
  }
  return bytes;
}

/** Which bank each argument with a `memory-connection` lies in: named by its tag. */
export function connectionsOf(kernels: readonly JsonPart[], memory: JsonPart): PackedConnection[] {
  const tags = memory.get("mem_topology").get("m_mem_data").someList().map((bank) =>
    bank.get("m_tag").someText()
  );
  const instances = kernels.flatMap((kernel) => kernel.get("instances").someList().map(() => kernel));
  return instances.flatMap((kernel, ip) =>
    kernel.get("arguments").list().flatMap((argument, index) => {
      const connection = argument.get("memory-connection");
      if (!connection.present) return [];
      const bank = tags.indexOf(connection.someText());
      if (bank < 0) refusePacking(`a memory-connection must be one of ${tags.join(", ")}`, connection.text());
      return [{ argument: index, ip, bank }];
    })
  );
}

/** CONNECTIVITY, or ASK_GROUP_CONNECTIVITY. */
export function packConnections(connections: readonly PackedConnection[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(4 + connections.length * CONNECTION_BYTES));
  view.setUint32(0, connections.length, true);
  for (const [index, { argument, ip, bank }] of connections.entries()) {
    const at = 4 + index * CONNECTION_BYTES;
    view.setUint32(at, argument, true);
    view.setUint32(at + 4, ip, true);
    view.setUint32(at + 8, bank, true);
  }
  const builder = new ByteBuilder();
  builder.append(new Uint8Array(view.buffer));
  return builder.finish();
}

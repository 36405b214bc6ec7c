/**
 * The tables of an xclbin: memory banks, kernel instances, and which argument lies in which bank.
 *
 * @module
 */

import { CONNECTION_BYTES, IP, MEMORY, MEMORY_TYPES } from "./layout.ts";
import { FieldReader } from "./bytes.ts";

/** A memory bank; on NPUs HOST (buffers) and SRAM (instructions). */
export interface MemoryBank {
  /** Such as `MEM_DRAM`. */
  readonly type: string;
  /** Whether anything is connected to it. */
  readonly used: boolean;
  /** Size, KiB. */
  readonly sizeKB: bigint;
  /** First address. */
  readonly baseAddress: bigint;
  /** Its name: what kernels' arguments refer to. */
  readonly tag: string;
}

/** An instance of a kernel. */
export interface IpEntry {
  /** Number of `IP_TYPE`; 7 is a kernel. */
  readonly type: number;
  /** 12 bits: repeated in the partition's CDO groups. */
  readonly kernelId: number;
  /** `kernel:instance`. */
  readonly name: string;
}

/** An argument of a kernel instance and the bank its buffers lie in. */
export interface Connection {
  /** Index of the argument. */
  readonly argument: number;
  /** Index of the instance. */
  readonly ip: number;
  /** Index of the bank. */
  readonly bank: number;
}

function table<T>(
  bytes: Uint8Array,
  what: string,
  first: number,
  size: number,
  read: (section: FieldReader, offset: number) => T,
): T[] {
  const section = new FieldReader(bytes, `section ${what}`);
  const count = section.u32(0, "number of entries");
  section.require(first, count * size, `${count} entries`);
  return Array.from({ length: count }, (_, index) => read(section, first + index * size));
}

/** Reads MEM_TOPOLOGY or ASK_GROUP_TOPOLOGY. */
export function readMemory(bytes: Uint8Array): MemoryBank[] {
  return table(bytes, "MEM_TOPOLOGY", 8, MEMORY.bytes, (section, at) => {
    const type = section.u8(at + MEMORY.type, "memory type");
    return {
      type: MEMORY_TYPES[type] ?? `TYPE_${type}`,
      used: section.u8(at + MEMORY.used, "memory in use") !== 0,
      sizeKB: section.u64(at + MEMORY.sizeKB, "memory size"),
      baseAddress: section.u64(at + MEMORY.baseAddress, "memory address"),
      tag: section.text(at + MEMORY.tag, MEMORY.tagBytes, "memory tag"),
    };
  });
}

/** Reads IP_LAYOUT. */
export function readIps(bytes: Uint8Array): IpEntry[] {
  return table(bytes, "IP_LAYOUT", 8, IP.bytes, (section, at) => ({
    type: section.u32(at + IP.type, "IP type"),
    kernelId: section.u16(at + IP.kernelId, "kernel id") & 0xfff,
    name: section.text(at + IP.name, IP.nameBytes, "IP name"),
  }));
}

/** Reads CONNECTIVITY or ASK_GROUP_CONNECTIVITY. */
export function readConnections(bytes: Uint8Array): Connection[] {
  return table(bytes, "CONNECTIVITY", 4, CONNECTION_BYTES, (section, at) => ({
    argument: section.u32(at, "argument index"),
    ip: section.u32(at + 4, "IP index"),
    bank: section.u32(at + 8, "memory bank"),
  }));
}

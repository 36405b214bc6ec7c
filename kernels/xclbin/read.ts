/**
 * Reads an xclbin: what overlay it holds, for which columns, and how its kernels are called.
 *
 * libxrt itself crashes on damaged files, so nothing reaches it that this has not read to the end.
 *
 * @module
 */

import { SECTION_KIND } from "./layout.ts";
import { type ArgumentMetadata, type KernelMetadata, readKernelMetadata } from "./kernel_metadata.ts";
import { type AiePartition, readPartition } from "./partition.ts";
import { readEnvelope, type XclbinEnvelope } from "./sections.ts";
import {
  type Connection,
  type IpEntry,
  type MemoryBank,
  readConnections,
  readIps,
  readMemory,
} from "./tables.ts";
import { refuseXclbin } from "./refuse.ts";

/** An argument of a kernel and the memory its buffers lie in. */
export interface KernelArgument extends ArgumentMetadata {
  /** Index into {@linkcode Xclbin.memory}; null for a scalar. What `xrt::kernel::group_id` answers, less its slot bits. */
  readonly bank: number | null;
}

/** A kernel that can be called. */
export interface XclbinKernel extends Omit<KernelMetadata, "arguments"> {
  /** By position in a call. */
  readonly arguments: readonly KernelArgument[];
}

/** A container, read. Arrays of bytes are views into the file. */
export interface Xclbin extends XclbinEnvelope {
  /** The columns and program images; null in a container that is not for an NPU. */
  readonly partition: AiePartition | null;
  /** Memory banks. */
  readonly memory: readonly MemoryBank[];
  /** Kernel instances. */
  readonly ips: readonly IpEntry[];
  /** Kernels. */
  readonly kernels: readonly XclbinKernel[];
}

/** The bank of each argument of a kernel's first instance. */
function banksOf(
  kernel: KernelMetadata,
  ips: readonly IpEntry[],
  connections: readonly Connection[],
): Map<number, number> {
  const ip = ips.findIndex((entry) => entry.name === kernel.name || entry.name.startsWith(`${kernel.name}:`));
  return new Map(
    connections.filter((entry) => entry.ip === ip).map((entry) => [entry.argument, entry.bank]),
  );
}

function refuseForeignIndices(
  connections: readonly Connection[],
  ips: readonly IpEntry[],
  memory: readonly MemoryBank[],
): void {
  for (const { ip, bank } of connections) {
    if (ip >= ips.length) refuseXclbin(`a connection must name one of its ${ips.length} IPs`, ip);
    if (bank >= memory.length) refuseXclbin(`a connection must name one of its ${memory.length} banks`, bank);
  }
}

/**
 * Reads a container.
 *
 * @param bytes The whole file.
 * @throws {SottoError} E_XCLBIN if it is not an xclbin, is cut, contradicts itself, or an offset leaves it.
 */
export function readXclbin(bytes: Uint8Array): Xclbin {
  const envelope = readEnvelope(bytes);
  const section = (kind: number): Uint8Array | null =>
    envelope.sections.find((entry) => entry.kind === kind)?.bytes ?? null;
  const parsed = <T>(kind: number, read: (bytes: Uint8Array) => T[]): T[] => {
    const found = section(kind);
    return found === null ? [] : read(found);
  };

  const partition = section(SECTION_KIND.AIE_PARTITION);
  const memory = parsed(SECTION_KIND.MEM_TOPOLOGY, readMemory);
  const ips = parsed(SECTION_KIND.IP_LAYOUT, readIps);
  const connections = parsed(SECTION_KIND.CONNECTIVITY, readConnections);
  refuseForeignIndices(connections, ips, memory);
  const kernels = parsed(SECTION_KIND.EMBEDDED_METADATA, readKernelMetadata).map((kernel) => {
    const banks = banksOf(kernel, ips, connections);
    return {
      ...kernel,
      arguments: kernel.arguments.map((argument) => ({
        ...argument,
        bank: argument.index === null ? null : banks.get(argument.index) ?? null,
      })),
    };
  });
  return {
    ...envelope,
    partition: partition === null ? null : readPartition(partition),
    memory,
    ips,
    kernels,
  };
}

/**
 * Reads a container and checks that an NPU can run it: one partition with a program image, and a kernel.
 *
 * @throws {SottoError} E_XCLBIN as {@linkcode readXclbin}, or if one of these is missing.
 */
export function readNpuXclbin(bytes: Uint8Array): Xclbin & { readonly partition: AiePartition } {
  const xclbin = readXclbin(bytes);
  const { partition, kernels } = xclbin;
  if (partition === null) refuseXclbin("an NPU needs a section AIE_PARTITION", "none");
  if (partition.pdis.length === 0) refuseXclbin("an NPU needs a program image (PDI)", "none");
  if (partition.pdis.some((pdi) => pdi.image.length === 0)) refuseXclbin("a PDI must hold bytes", "none");
  if (partition.columnWidth === 0) refuseXclbin("its partition must be one or more columns wide", 0);
  if (kernels.length === 0) refuseXclbin("an NPU needs a kernel", "none");
  return { ...xclbin, partition };
}

/**
 * What an xclbin holds, in lines for people.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { readXclbin, type XclbinKernel } from "./read.ts";
import type { AiePartition } from "./partition.ts";
import type { MemoryBank } from "./tables.ts";

function kernelLines(kernel: XclbinKernel, memory: readonly MemoryBank[]): string[] {
  const id = kernel.kernelId === null ? "" : `, id 0x${kernel.kernelId.toString(16)}`;
  return [
    `kernel ${kernel.name} (${kernel.type}${id}), instances ${kernel.instances.join(", ")}`,
    ...kernel.arguments.map((argument) => {
      const bank = argument.bank === null ? "" : `, bank ${argument.bank} ${memory[argument.bank].tag}`;
      return `  argument ${
        argument.index ?? "-"
      } ${argument.name}: ${argument.type}, ${argument.kind}, ${argument.size} bytes at ${argument.offset}${bank}`;
    }),
  ];
}

/** The text of a modelled PDI, if it is one. */
function modelledLines(image: Uint8Array): string[] {
  const text = new TextDecoder("latin1").decode(image);
  return text.startsWith("sotto-npu-model ")
    ? text.replace(/\0[^]*$/, "").trimEnd().split("\n").map((line) => `    ${line}`)
    : [];
}

function partitionLines(partition: AiePartition): string[] {
  const { columnWidth, startColumns, operationsPerCycle, pdis } = partition;
  return [
    `partition: ${columnWidth} columns, from column ${
      startColumns.join(" or ")
    }, ${operationsPerCycle} operations per cycle`,
    ...pdis.flatMap(({ uuid, image, groups }) => [
      `  PDI ${uuid}: ${image.length} bytes, SHA-256 ${createHash("sha256").update(image).digest("hex")}`,
      ...groups.map((group) =>
        `    group ${group.name} (${group.type}) for kernels ${
          group.kernelIds.map((id) => `0x${id.toString(16)}`).join(", ")
        }`
      ),
      ...modelledLines(image),
    ]),
  ];
}

/**
 * The lines about a container.
 *
 * @throws {SottoError} E_XCLBIN as {@linkcode readXclbin}.
 */
export function inspectXclbin(bytes: Uint8Array): string[] {
  const { uuid, version, sections, partition, memory, kernels } = readXclbin(bytes);
  return [
    `xclbin ${uuid}, ${bytes.length} bytes, written by version ${version}`,
    ...sections.map(({ kindName, name, offset, bytes }) =>
      `section ${kindName}${name === "" ? "" : ` "${name}"`}: ${bytes.length} bytes at ${offset}`
    ),
    ...(partition === null ? ["no partition: not for an NPU"] : partitionLines(partition)),
    ...memory.map(({ tag, type, sizeKB, baseAddress }, index) =>
      `bank ${index} ${tag}: ${type}, ${sizeKB} KiB at 0x${baseAddress.toString(16)}`
    ),
    ...kernels.flatMap((kernel) => kernelLines(kernel, memory)),
  ].map((line) => line.replaceAll(/\p{Cc}/gu, "\ufffd")); // names come from the file: no control codes on a terminal
}

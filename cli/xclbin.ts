/**
 * `deno task xclbin`: looks into NPU overlays and their instruction streams, and packs overlays.
 *
 * @module
 */

import { dirname, isAbsolute, join, relative } from "node:path";
import process from "node:process";
import { SottoError } from "../errors.ts";
import { disassemble } from "../kernels/npu/disassemble.ts";
import { checkStream } from "../kernels/npu/stream_check.ts";
import { decodeTransaction, parseInstructionText } from "../kernels/npu/transaction.ts";
import { inspectXclbin } from "../kernels/xclbin/inspect.ts";
import { MAGIC } from "../kernels/xclbin/layout.ts";
import { mlirAieKernels, mlirAieMemory } from "../kernels/xclbin/mlir_aie.ts";
import { readNpuXclbin } from "../kernels/xclbin/read.ts";
import { packXclbin } from "../kernels/xclbin/write.ts";
import { printError } from "./console.ts";
import { taskArguments } from "./task_arguments.ts";

/** Where the usage is too long for the one line of an error. */
const HINT = "deno task xclbin help shows how.";

const USAGE = `Looks into NPU overlays, and packs them without AMD's tools.

  deno task xclbin inspect FILE…        what an .xclbin or an instruction stream (hexadecimal words) holds
  deno task xclbin pack [options] OUT   an .xclbin of a PDI and its JSON files
    --partition FILE   aie_partition.json; the PDIs it names lie beside it
    --pdi FILE         the PDI, whatever the partition calls it
    --kernels FILE     kernels.json; default: the kernel MLIR_AIE that MLIR-AIE's overlays have
    --memory FILE      mem_topology.json; default: the banks HOST and SRAM
`;

function readBytes(path: string): Uint8Array<ArrayBuffer> {
  try {
    return Deno.readFileSync(path);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotCapable) {
      throw new SottoError("E_PERMISSION", `Cannot read ${path} without permission`, {
        hint: `Run with --allow-read=${path}.`,
        cause,
      });
    }
    throw new SottoError(
      "E_INPUT",
      `Cannot read ${path}: ${cause instanceof Error ? cause.message : cause}`,
      {
        cause,
      },
    );
  }
}

function readText(path: string): string {
  return new TextDecoder().decode(readBytes(path));
}

function inspectStream(text: string): string[] {
  const transaction = decodeTransaction(parseInstructionText(text));
  const { tasks, bytesIn, bytesOut, waits, bufferBytes } = checkStream(transaction);
  return [
    ...disassemble(transaction),
    `${tasks.length} DMA tasks, ${waits} waits, ${bytesIn} bytes in, ${bytesOut} bytes out`,
    ...bufferBytes.map((bytes, index) => `buffer bo${index}: at least ${bytes} bytes`),
  ];
}

/** The lines about a file. */
function inspectFile(path: string): string[] {
  const bytes = readBytes(path);
  const isXclbin = new TextDecoder("latin1").decode(bytes.subarray(0, MAGIC.length)) === MAGIC ||
    path.endsWith(".xclbin");
  return isXclbin ? inspectXclbin(bytes) : inspectStream(new TextDecoder().decode(bytes));
}

/** A file that a partition names; it may not lie outside the partition's folder. */
function besidePartition(partition: string, fileName: string): Uint8Array {
  const folder = dirname(partition);
  const path = isAbsolute(fileName) ? fileName : join(folder, fileName);
  if (relative(folder, path).startsWith("..") || isAbsolute(fileName)) {
    throw new SottoError("E_PATH", `Cannot pack PDI ${fileName} because it must lie beside ${partition}`, {
      hint: "Name it with --pdi.",
    });
  }
  return readBytes(path);
}

function replaceFile(path: string, bytes: Uint8Array): void {
  const temporary = `${path}.${crypto.randomUUID()}.part`;
  try {
    Deno.writeFileSync(temporary, bytes);
    Deno.renameSync(temporary, path);
  } catch (cause) {
    try {
      Deno.removeSync(temporary);
    } catch {
      // It was never made.
    }
    throw new SottoError(
      "E_OUTPUT",
      `Cannot write ${path}: ${cause instanceof Error ? cause.message : cause}`,
      {
        cause,
      },
    );
  }
}

function pack(args: readonly string[]): string[] {
  const option = { type: "string" } as const;
  const options = { partition: option, pdi: option, kernels: option, memory: option };
  const { values, positionals } = taskArguments(args, { options, allowPositionals: true }, HINT);
  const { partition, pdi, kernels, memory } = values;
  if (partition === undefined || positionals.length !== 1) {
    throw new SottoError("E_OPTION", "Cannot pack without --partition and one output", { hint: HINT });
  }
  const bytes = packXclbin({
    partition: readText(partition),
    kernels: kernels === undefined ? mlirAieKernels() : readText(kernels),
    memory: memory === undefined ? mlirAieMemory() : readText(memory),
    pdi: (name) => pdi === undefined ? besidePartition(partition, name) : readBytes(pdi),
  });
  readNpuXclbin(bytes);
  replaceFile(positionals[0], bytes);
  return [`${positionals[0]}: ${bytes.length} bytes`];
}

function linesOf(args: readonly string[]): string[] {
  const [command, ...rest] = args;
  if (command === undefined || command === "help" || command === "--help") return [USAGE];
  if (command === "pack") return pack(rest);
  if (command !== "inspect") {
    throw new SottoError("E_OPTION", `Cannot ${command} an xclbin; it can be inspected or packed`, {
      hint: HINT,
    });
  }
  const { positionals } = taskArguments(rest, { allowPositionals: true }, HINT);
  if (positionals.length === 0) {
    throw new SottoError("E_OPTION", "Cannot inspect without a file", { hint: HINT });
  }
  return positionals.flatMap((path) =>
    positionals.length > 1 ? [`${path}:`, ...inspectFile(path)] : inspectFile(path)
  );
}

/**
 * Runs the command.
 *
 * @returns Its exit status.
 */
export function runXclbin(args: readonly string[]): number {
  try {
    for (const line of linesOf(args)) console.log(line);
    return 0;
  } catch (error) {
    return printError(error, false);
  }
}

if (import.meta.main) process.exit(runXclbin(Deno.args));

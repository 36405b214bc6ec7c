/**
 * Overlays of one tile and streams of one round, written by hand from the model's contract: what its arithmetic is tested with.
 *
 * @module
 */

import { mlirAieKernels, mlirAieMemory, mlirAiePartition } from "../../kernels/xclbin/mlir_aie.ts";
import { packXclbin } from "../../kernels/xclbin/write.ts";
import { Npu } from "./_npu.ts";

/** Where the tile's runtime words lie. */
const RUNTIME = 0xf000;
/** The compute tile of column 0, row 2. */
const TILE = 2 << 20;
/** Queue registers of the shim tile. */
const S2MM_0 = 0x1d204, MM2S_0 = 0x1d214, MM2S_1 = 0x1d21c;

/** The container of an overlay on one tile of an npu2, with this program. */
export function oneTile(program: string): Uint8Array<ArrayBuffer> {
  const lines = [
    "sotto-npu-model 1",
    "array npu2 columns 1 rows 1",
    `runtime 0x${RUNTIME.toString(16)}`,
    `program 0 ${program}`,
  ];
  const pdi = new TextEncoder().encode(lines.join("\n") + "\n");
  return packXclbin({
    partition: mlirAiePartition(1, [0], "00112233-4455-6677-8899-aabbccddeeff"),
    kernels: mlirAieKernels(),
    memory: mlirAieMemory(),
    pdi: () => pdi,
  });
}

/** Operations that read or write the whole of kernel argument 3 + `argument`, in order. */
function task(bd: number, argument: number, bytes: number, queue: number): number[] {
  const at = 0x1d000 + 32 * bd;
  return [
    ...[1, at, 44, bytes / 4, 0, 0, 0, 0, 0, 0, 1 << 25],
    ...[0x81, 24, at + 4, argument, 0, 0],
    ...[0, queue, (queue === S2MM_0 ? 0x80000000 : 0) + bd],
  ];
}

/** A stream that sets the runtime words, streams the inputs in and the last buffer out, and waits for it. */
export function oneRound(runtime: readonly number[], sizes: readonly number[]): Uint32Array<ArrayBuffer> {
  const operations = [
    [1, TILE + RUNTIME, 12 + 4 * runtime.length, ...runtime],
    task(0, sizes.length - 1, sizes.at(-1)!, S2MM_0),
    ...sizes.slice(0, -1).map((bytes, i) => task(1 + i, i, bytes, [MM2S_0, MM2S_1][i])),
    [0x80, 16, 0, 0x10100],
  ].flat();
  const count = 1 + 3 * sizes.length + 1;
  return Uint32Array.of(0x06040001, 0x108, count, 4 * (operations.length + 4), ...operations);
}

/** Runs a program on inputs; gives the bytes that come out. */
export async function runTile(
  program: string,
  runtime: readonly number[],
  inputs: readonly ArrayBufferView<ArrayBuffer>[],
  bytes: number,
): Promise<ArrayBuffer> {
  const npu = new Npu();
  await npu.configure("device=strix");
  const opened = await npu.open(oneTile(program));
  const sizes = [...inputs.map((input) => input.byteLength), bytes];
  const buffers: bigint[] = [];
  for (const [i, size] of sizes.entries()) buffers.push(await npu.buffer(opened.kernel, 3 + i, size));
  for (const [i, input] of inputs.entries()) await npu.write(buffers[i], input);
  const run = await npu.run(opened.kernel, oneRound(runtime, sizes), buffers);
  await npu.finish(run);
  const result = await npu.read(buffers.at(-1)!, bytes);
  npu.destroy(run, ...buffers);
  npu.close(opened);
  await npu.configure("");
  return result;
}

/**
 * One launch in two ways: on the modelled NPU, and by the design of `kernels/iron` with its tile kernels.
 *
 * @module
 */

import type { IronEntry } from "../../kernels/iron/catalogue_lines.ts";
import { encodeTransaction, type Transaction } from "../../kernels/npu/transaction.ts";
import { interpret } from "../npu/_dma_interpreter.ts";
import { Npu } from "../npu/_npu.ts";
import { type Recipe, runDesign } from "./_iron.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** What a launch is given. */
export interface Launch {
  /** The instruction stream. */
  readonly stream: Transaction;
  /** Contents of bo0, bo1 … before it. */
  readonly inputs: readonly Bytes[];
  /** Bytes of the last buffer, the output. */
  readonly outputBytes: number;
}

/** The output on the modelled NPU that has this overlay. */
export async function onModel(xclbin: Bytes, { stream, inputs, outputBytes }: Launch): Promise<Bytes> {
  const npu = new Npu();
  await npu.configure(stream.generation === "npu1" ? "device=phoenix" : "device=strix");
  const opened = await npu.open(xclbin);
  const sizes = [...inputs.map((input) => input.length), outputBytes];
  const buffers: bigint[] = [];
  for (const [i, size] of sizes.entries()) buffers.push(await npu.buffer(opened.kernel, 3 + i, size));
  for (const [i, input] of inputs.entries()) await npu.write(buffers[i], input);
  const run = await npu.run(opened.kernel, encodeTransaction(stream), buffers);
  await npu.finish(run);
  const result = await npu.read(buffers.at(-1)!, outputBytes);
  npu.destroy(run, ...buffers);
  npu.close(opened);
  await npu.configure("");
  return new Uint8Array(result);
}

/** The output of the design, whose ports are sent what the stream's descriptors read, and give what they write. */
export async function onDesign(entry: IronEntry, recipe: Recipe, launch: Launch): Promise<Bytes> {
  const { accesses, others } = interpret(encodeTransaction(launch.stream));
  const buffers = [...launch.inputs, new Uint8Array(launch.outputBytes)];
  const views = buffers.map((bytes) => new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4));
  const sent = new Map<string, Uint8Array>();
  for (const [port, list] of accesses) {
    if (!port.includes("mm2s")) continue;
    const words = Uint32Array.from(list, ({ argument, word }) => views[argument][word]);
    sent.set(port, new Uint8Array(words.buffer));
  }
  const received = await runDesign(entry, recipe, { sent, words: wordsOf(entry, others) });
  const written = [...accesses].filter(([port]) => port.includes("s2mm"));
  for (const [port, list] of written) {
    const bytes = received.get(port);
    if (bytes?.length !== 4 * list.length) {
      throw new Error(`${port} gives ${bytes?.length} bytes, the stream takes ${4 * list.length}`);
    }
    new Uint32Array(bytes.buffer).forEach((value, i) => views[list[i].argument][list[i].word] = value);
  }
  const silent = [...received].filter(([port, bytes]) => bytes.length > 0 && !accesses.has(port));
  if (silent.length > 0) throw new Error(`nothing takes what ${silent[0][0]} gives`);
  return buffers.at(-1)!;
}

/** The runtime words that a stream writes, which must be the same in every compute tile of the entry. */
function wordsOf(entry: IronEntry, others: ReadonlyMap<number, number>): number[] {
  const { runtime } = entry;
  if (runtime === null) return [];
  const found = Array.from({ length: entry.columns * entry.rows }, (_, i) => {
    const tile = (i % entry.columns) << 25 | (2 + Math.floor(i / entry.columns)) << 20;
    return Array.from({ length: 4 }, (_, word) => {
      const value = others.get(tile + runtime + 4 * word);
      if (value === undefined) throw new Error(`the stream leaves out a runtime word of tile ${i}`);
      return value | 0;
    });
  });
  if (new Set(found.map(String)).size !== 1) throw new Error("compute tiles are told different words");
  return found[0];
}

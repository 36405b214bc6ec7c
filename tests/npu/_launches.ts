/**
 * Launches of our own overlays and of the predecessor's kernels, whose results must be the same bits through either door of the
 * model.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { attentionRows, attentionStream } from "../../kernels/npu/attention_stream.ts";
import { ENCODER_NPU1, gemmKernelNamed } from "../../kernels/npu/catalogue.ts";
import { modelledXclbin } from "../../kernels/npu/container.ts";
import type { AttentionProgram } from "../../kernels/npu/design.ts";
import { wholeBufferStream } from "../../kernels/npu/instructions.ts";
import { planProduct, planStream } from "../../kernels/npu/tiling.ts";
import { encodeTransaction, type Transaction } from "../../kernels/npu/transaction.ts";
import { packXclbin } from "../../kernels/xclbin/write.ts";
import type { Npu } from "./_npu.ts";
import { partsIn } from "./_xclbin_parts.ts";

/** One launch: buffers of these bytes, the last of which is written. */
interface Launch {
  readonly name: string;
  readonly xclbin: Uint8Array<ArrayBuffer>;
  readonly stream: Transaction;
  readonly bytes: readonly number[];
}

const TILE_BYTES = 64 * 64;

function launches(data: string): Launch[] {
  const encoder = modelledXclbin(ENCODER_NPU1);
  const attention = ENCODER_NPU1.programs.at(-1) as AttentionProgram;
  const [T, heads] = [300, 8];
  const rows = attentionRows(ENCODER_NPU1, attention, T);
  const single = { generation: "npu1", columns: 1 } as const;
  const seed = (name: string) => packXclbin(partsIn(`${data}xclbin/seed_kernels/${name}`, "main_"));
  const products = ["bf16", "i8"].map((type): Launch => {
    const plan = planProduct(gemmKernelNamed(`encoder_${type}_npu1`), { M: 1500, K: 512, N: 512 });
    const { M, K, N } = plan.padded, width = type === "i8" ? 1 : 2;
    return {
      name: `${type} product`,
      xclbin: encoder,
      stream: planStream(plan),
      bytes: [width * M * K, width * K * N, 4 * M * N],
    };
  });
  return [
    ...products,
    {
      name: "attention",
      xclbin: encoder,
      stream: attentionStream(ENCODER_NPU1, [{ T, heads }]),
      bytes: [2 * rows * 3 * 64 * heads, 2 * rows * 64 * heads],
    },
    {
      name: "the predecessor's bf16 matmul",
      xclbin: seed("matmul_bf16_64x64"),
      stream: wholeBufferStream(
        single,
        [{ argument: 0, bytes: 2 * TILE_BYTES }, { argument: 1, bytes: 2 * TILE_BYTES, channel: 1 }],
        [{ argument: 2, bytes: 2 * TILE_BYTES }],
      ),
      bytes: [2 * TILE_BYTES, 2 * TILE_BYTES, 2 * TILE_BYTES],
    },
    {
      name: "the predecessor's int8 attention",
      xclbin: seed("attention_int8_64x64"),
      stream: wholeBufferStream(single, [{ argument: 0, bytes: 3 * TILE_BYTES }], [{
        argument: 1,
        bytes: TILE_BYTES,
      }]),
      bytes: [3 * TILE_BYTES, TILE_BYTES],
    },
    ...["softmax_bf16", "gelu_bf16", "layernorm_bf16"].map((name): Launch => ({
      name: `the predecessor's ${name}`,
      xclbin: seed(name),
      stream: wholeBufferStream(single, [{ argument: 0, bytes: 2048 }], [{ argument: 1, bytes: 2048 }]),
      bytes: [2048, 2048],
    })),
  ];
}

/** Numbers that are small in bf16 and anything in int8. */
function input(bytes: number, seed: number): Uint16Array<ArrayBuffer> {
  let state = seed;
  return Uint16Array.from({ length: bytes / 2 }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 16) & 0x81ff | 0x3e00;
  });
}

/** A hash of what each launch leaves in its last buffer, by its name. */
export async function digests(npu: Npu, data: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const { name, xclbin, stream, bytes } of launches(data)) {
    const opened = await npu.open(xclbin);
    const buffers: bigint[] = [];
    for (const [i, size] of bytes.entries()) buffers.push(await npu.buffer(opened.kernel, 3 + i, size));
    for (const [i, size] of bytes.slice(0, -1).entries()) await npu.write(buffers[i], input(size, i + 1));
    const run = await npu.run(opened.kernel, encodeTransaction(stream), buffers);
    await npu.finish(run);
    const result = new Uint8Array(await npu.read(buffers.at(-1)!, bytes.at(-1)!));
    found[name] = createHash("sha256").update(result).digest("hex");
    npu.destroy(run, ...buffers);
    npu.close(opened);
  }
  return found;
}

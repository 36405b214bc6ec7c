import assert from "node:assert/strict";
import { attentionRows, attentionStream } from "../../kernels/npu/attention_stream.ts";
import {
  ENCODER_NPU1,
  ENCODER_NPU2,
  type GemmKernel,
  gemmKernelNamed,
  programOf,
} from "../../kernels/npu/catalogue.ts";
import { modelledXclbin } from "../../kernels/npu/container.ts";
import type { AttentionProgram } from "../../kernels/npu/design.ts";
import { type Product, productStream, wholeBufferStream } from "../../kernels/npu/instructions.ts";
import { planProduct, planStream } from "../../kernels/npu/tiling.ts";
import { encodeTransaction, type Transaction } from "../../kernels/npu/transaction.ts";
import { packXclbin } from "../../kernels/xclbin/write.ts";
import { bfp16Layout } from "../../tensor/bfp16_layout.ts";
import { packBfp16 } from "../../tensor/bfp16.ts";
import { SHIPPED } from "./_designs.ts";
import { Npu, type Opened } from "./_npu.ts";
import { testOnEmulatedNpu } from "./_with_emulated.ts";
import { partsIn } from "./_xclbin_parts.ts";

const DEVICE = { npu1: "device=phoenix", npu2: "device=strix" } as const;

/** Runs a stream on buffers and gives what is in the last one then. */
async function launch(
  npu: Npu,
  opened: Opened,
  stream: Transaction,
  inputs: readonly ArrayBufferView<ArrayBuffer>[],
  bytes: number,
): Promise<ArrayBuffer> {
  const sizes = [...inputs.map((input) => input.byteLength), bytes];
  const buffers = [];
  for (const [i, size] of sizes.entries()) buffers.push(await npu.buffer(opened.kernel, 3 + i, size));
  for (const [i, input] of inputs.entries()) await npu.write(buffers[i], input);
  const run = await npu.run(opened.kernel, encodeTransaction(stream), buffers);
  await npu.finish(run);
  const result = await npu.read(buffers.at(-1)!, bytes);
  npu.destroy(run, ...buffers);
  return result;
}

async function withOverlay(
  generation: "npu1" | "npu2",
  xclbin: Uint8Array<ArrayBuffer>,
  body: (npu: Npu, opened: Opened) => Promise<void>,
): Promise<void> {
  const npu = new Npu();
  await npu.configure(DEVICE[generation]);
  const opened = await npu.open(xclbin);
  await body(npu, opened);
  npu.close(opened);
  await npu.configure("");
}

function integers(length: number, limit: number, seed: number): Int32Array {
  let state = seed;
  return Int32Array.from({ length }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state >>> 16) % (2 * limit + 1) - limit;
  });
}

/** A·B of whole numbers, A [M, K], B [K, N]. */
function product(a: Int32Array, b: Int32Array, { M, K, N }: { M: number; K: number; N: number }): Int32Array {
  const c = new Int32Array(M * N);
  for (let i = 0; i < M; i++) {
    for (let j = 0; j < K; j++) {
      const x = a[i * K + j];
      if (x !== 0) { for (let l = 0; l < N; l++) c[i * N + l] += x * b[j * N + l]; }
    }
  }
  return c;
}

/** Small whole numbers in bf16: the upper half of their F32. */
function bf16(values: ArrayLike<number>): Uint16Array<ArrayBuffer> {
  return Uint16Array.from(new Uint32Array(Float32Array.from(values).buffer), (bits) => bits >>> 16);
}

function fromBf16(values: Uint16Array): Float32Array {
  return new Float32Array(Uint32Array.from(values, (bits) => bits << 16).buffer);
}

/** A and B in the kernel's type; numbers that every type holds exactly. */
function operands(
  kernel: GemmKernel,
  a: Int32Array,
  b: Int32Array,
  { M, K, N }: { M: number; K: number; N: number },
) {
  const { input } = programOf(kernel);
  if (input === "i8") return [Int8Array.from(a), Int8Array.from(b)];
  if (input === "bf16") return [bf16(a), bf16(b)];
  const transposed = Float32Array.from({ length: K * N }, (_, i) => b[i % K * N + Math.floor(i / K)]);
  const pack = (values: Float32Array<ArrayBuffer>, rows: number) =>
    packBfp16(values, bfp16Layout(rows, K, { order: "dim32", tile: [64, 64] }));
  return [pack(Float32Array.from(a), M), pack(transposed, N)];
}

for (const design of [ENCODER_NPU1, ENCODER_NPU2]) {
  const { generation } = design;
  const types = generation === "npu1" ? ["bf16", "i8"] : ["bf16", "i8", "bfp16"];
  testOnEmulatedNpu(
    `one overlay of ${generation} computes products of any size in ${types.join(", ")}, a stream each`,
    [],
    async () => {
      await withOverlay(generation, modelledXclbin(design), async (npu, opened) => {
        for (const type of types) {
          const kernel = gemmKernelNamed(`encoder_${type}_${generation}`);
          for (
            const size of [{ M: 256, K: 64, N: 512 }, { M: 768, K: 192, N: 512 }, { M: 256, K: 128, N: 1024 }]
          ) {
            const plan = planProduct(kernel, size);
            assert.deepEqual(plan.padded, size);
            const a = integers(size.M * size.K, 7, 1);
            const b = integers(size.K * size.N, 7, 2);
            const inputs = operands(kernel, a, b, size);
            const result = await launch(npu, opened, planStream(plan), inputs, 4 * size.M * size.N);
            const c = type === "i8" ? new Int32Array(result) : Int32Array.from(new Float32Array(result));
            assert.deepEqual(c, product(a, b, size), `${type} ${JSON.stringify(size)}`);
          }
        }
      });
    },
  );

  testOnEmulatedNpu(
    `the overlay of ${generation} computes attention of all heads in one launch, for any number of frames`,
    [],
    async () => {
      const program = design.programs.at(-1) as AttentionProgram;
      await withOverlay(generation, modelledXclbin(design), async (npu, opened) => {
        for (const { T, heads } of [{ T: 70, heads: 3 }, { T: 300, heads: 2 }]) {
          const C = 64 * heads;
          const rows = attentionRows(design, program, T);
          const values = integers(rows * 3 * C, 100, 5).map((value, i) => i < T * 3 * C ? value : 100);
          const qkv = bf16(Float32Array.from(values, (value) => value / 64));
          const stream = attentionStream(design, [{ T, heads }]);
          const result = fromBf16(new Uint16Array(await launch(npu, opened, stream, [qkv], rows * C * 2)));
          const read = fromBf16(qkv);
          let worst = 0;
          for (let head = 0; head < heads; head++) {
            for (let t = 0; t < T; t += 23) {
              const at = (row: number, part: number) => row * 3 * C + part * C + 64 * head;
              const scores = Array.from({ length: T }, (_, key) => {
                let sum = 0;
                for (let d = 0; d < 64; d++) sum += read[at(t, 0) + d] * read[at(key, 1) + d];
                return sum / 8;
              });
              const most = Math.max(...scores);
              const weights = scores.map((score) => Math.exp(score - most));
              const total = weights.reduce((sum, weight) => sum + weight, 0);
              for (let d = 0; d < 64; d++) {
                const expected = weights.reduce((sum, weight, key) =>
                  sum + weight * read[at(key, 2) + d], 0) /
                  total;
                worst = Math.max(worst, Math.abs(expected - result[t * C + 64 * head + d]));
              }
            }
          }
          // Values reach 1.56; bf16 keeps 8 bits of them, of the weights, and of the result.
          assert(worst < 0.02, `T = ${T}: ${worst}`);
        }
      });
    },
  );
}

for (const shipped of SHIPPED) {
  testOnEmulatedNpu(
    `the real overlay ${shipped.name} computes another size with a stream of ours`,
    [`${shipped.path}.npu1.xclbin`],
    async (path) => {
      const { design } = shipped;
      const program = design.programs[0];
      assert(program.kind === "matmul");
      const size: Product = {
        M: 3 * design.rows * program.m,
        K: shipped.product.K,
        N: 2 * design.columns * program.n,
      };
      await withOverlay("npu1", Deno.readFileSync(path), async (npu, opened) => {
        const a = integers(size.M * size.K, 3, 3);
        const b = integers(size.K * size.N, 3, 4);
        const bytes = (program.output === "i32" ? 4 : 2) * size.M * size.N;
        const stream = productStream(design, [size]);
        const result = await launch(npu, opened, stream, [Int16Array.from(a), Int16Array.from(b)], bytes);
        const c = program.output === "i32" ? new Int32Array(result) : Int32Array.from(new Int16Array(result));
        assert.deepEqual(c, product(a, b, size));
      });
    },
  );
}

testOnEmulatedNpu(
  "the predecessor's matmul, packed by us, multiplies with a stream of ours",
  ["xclbin/seed_kernels/matmul_bf16_64x64"],
  async (folder) => {
    const size = { M: 64, K: 64, N: 64 };
    await withOverlay("npu1", packXclbin(partsIn(folder, "main_")), async (npu, opened) => {
      const a = integers(64 * 64, 1, 6);
      const b = integers(64 * 64, 1, 7);
      const stream = wholeBufferStream({ generation: "npu1", columns: 1 }, [
        { argument: 0, bytes: 8192 },
        { argument: 1, bytes: 8192, channel: 1 },
      ], [{ argument: 2, bytes: 8192 }]);
      const result = await launch(npu, opened, stream, [bf16(a), bf16(b)], 8192);
      assert.deepEqual(Int32Array.from(fromBf16(new Uint16Array(result))), product(a, b, size));
    });
  },
);

testOnEmulatedNpu(
  "the predecessor's attention, packed by us, runs with a stream of ours",
  ["xclbin/seed_kernels/attention_int8_64x64"],
  async (folder) => {
    await withOverlay("npu1", packXclbin(partsIn(folder, "main_")), async (npu, opened) => {
      const qkv = new Int8Array(12_288);
      qkv.fill(5, 8192); // every row of V is the same, so that the weights do not matter
      const stream = wholeBufferStream(
        { generation: "npu1", columns: 1 },
        [{ argument: 0, bytes: 12_288 }],
        [{ argument: 1, bytes: 4096 }],
      );
      const result = new Int8Array(await launch(npu, opened, stream, [qkv], 4096));
      assert.equal(new Set(result).size, 1);
      assert(Math.abs(result[0] - 5) <= 1, String(result[0]));
    });
  },
);

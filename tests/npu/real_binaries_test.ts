import { deepEqual, equal, strictEqual } from "node:assert/strict";
import { sharedData, testWithData } from "../support/shared_data.ts";
import { Npu, readStream } from "./_npu.ts";

/** A product that a real binary computes with the stream shipped beside it. */
export interface Product {
  readonly xclbin: string;
  readonly stream: string;
  readonly m: number;
  readonly k: number;
  readonly n: number;
  readonly out: "i16" | "i32";
}

const whole = (name: string, m: number, k: number, n: number, out: "i16" | "i32"): Product => ({
  xclbin: `xclbin/whole_array/${name}.npu1.xclbin`,
  stream: `xclbin/whole_array/${name}.insts.txt`,
  m,
  k,
  n,
  out,
});

/** The matmuls of `../shared/data/xclbin`. */
export const PRODUCTS: readonly Product[] = [
  {
    xclbin: "xclbin/matmul_256x256x256_64x64x32_1core.npu1.xclbin",
    stream: "xclbin/matmul_256x256x256_64x64x32_1core.insts.txt",
    m: 256,
    k: 256,
    n: 256,
    out: "i32",
  },
  {
    xclbin: "xclbin/parts/matrix_vector_288x288/whole.xclbin",
    stream: "xclbin/parts/matrix_vector_288x288/insts.txt",
    m: 288,
    k: 288,
    n: 1,
    out: "i32",
  },
  whole("640x896x32_16x8x8_4c.i16i32", 640, 896, 32, "i32"),
  whole("640x896x64_16x16x16_4c.i16i32", 640, 896, 64, "i32"),
  whole("1280x1280x32_32x32x8_4c.i16i16", 1280, 1280, 32, "i16"),
  whole("2560x1280x32_32x32x8_4c.i16i16", 2560, 1280, 32, "i16"),
];

/** Numbers of an equidistributed sequence, so that a wrong order shows. */
export function numbers(count: number, range: number): Int16Array<ArrayBuffer> {
  let state = 12345;
  return Int16Array.from({ length: count }, () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 16) % (2 * range + 1) - range;
  });
}

/** The product as JavaScript computes it. */
export function reference({ m, k, n, out }: Product, a: Int16Array, b: Int16Array): Int16Array | Int32Array {
  const c = new Int32Array(m * n);
  for (let i = 0; i < m; i++) {
    for (let q = 0; q < k; q++) {
      const factor = a[i * k + q];
      for (let j = 0; j < n; j++) c[i * n + j] += factor * b[q * n + j];
    }
  }
  return out === "i32" ? c : Int16Array.from(c);
}

for (const product of PRODUCTS) {
  const { xclbin, stream, m, k, n, out } = product;
  testWithData(`emulated NPU computes C = A·B with ${xclbin} and its own stream`, [xclbin, stream], async (...paths) => {
    const npu = new Npu();
    await npu.configure("");
    const opened = await npu.open(await Deno.readFile(paths[0]));
    const a = numbers(m * k, out === "i16" ? 4 : 1000), b = numbers(k * n, out === "i16" ? 4 : 1000);
    const bytes = m * n * (out === "i32" ? 4 : 2);
    const buffers = [a.byteLength, b.byteLength, bytes].map((size, i) => npu.buffer(opened.kernel, 3 + i, size));
    const [first, second, third] = await Promise.all(buffers);
    await npu.write(first, a);
    await npu.write(second, b);
    const run = await npu.run(opened.kernel, await readStream(paths[1]), [first, second, third]);
    await npu.finish(run);
    const result = await npu.read(third, bytes);
    deepEqual(out === "i32" ? new Int32Array(result) : new Int16Array(result), reference(product, a, b));
    npu.destroy(run, first, second, third);
    npu.close(opened);
  });
}

void [equal, strictEqual, sharedData];

/**
 * The matmuls that real binaries compute, and what their results must be.
 *
 * @module
 */

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

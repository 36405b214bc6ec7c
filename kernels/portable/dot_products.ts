/**
 * The inner loop of everything: dot products of the rows of one matrix with the rows of another.
 *
 * `out[m, n] = Σ_k a[m, k] · b[n, k]`, summed in double precision in the order of k. A product with a
 * transposed weight, a convolution, query times keys and probabilities times transposed values are all of
 * this shape. Because the order of each sum is fixed, a result does not depend on how rows are tiled.
 *
 * Sixteen sums are kept in registers (4 rows of each side), so eight loads feed sixteen multiplications:
 * measured in V8 on x86-64, 4×4 reaches about 6.5 GFLOP/s, 2×4 about 5, and the same loop rounded to f32 by
 * `Math.fround` less than 3. Packing the operands first gained nothing.
 *
 * @module
 */

/** Rows of a matrix inside an array: row r is `data[start + r·stride …]`. */
export interface Rows {
  readonly data: Float32Array<ArrayBuffer>;
  readonly start: number;
  /** From one row to the next, in elements. Rows may overlap. */
  readonly stride: number;
}

/** How many dot products, and how long. */
export interface DotShape {
  /** Rows of `a` and of the result. */
  readonly M: number;
  /** Rows of `b`, columns of the result. */
  readonly N: number;
  /** Length of each dot product. */
  readonly K: number;
}

/** Computes `out[m, n] = Σ_k a[m, k] · b[n, k]`; `out` must not overlap the operands. */
export function dotProducts(a: Rows, b: Rows, out: Rows, { M, N, K }: DotShape): void {
  const wholeM = M - M % 4;
  const wholeN = N - N % 4;
  for (let m = 0; m < wholeM; m += 4) {
    const aStart = a.start + m * a.stride;
    const outStart = out.start + m * out.stride;
    for (let n = 0; n < wholeN; n += 4) {
      tile4x4(
        a.data,
        aStart,
        a.stride,
        b.data,
        b.start + n * b.stride,
        b.stride,
        out.data,
        outStart + n,
        out.stride,
        K,
      );
    }
    for (let n = wholeN; n < N; n++) {
      for (let row = 0; row < 4; row++) {
        out.data[outStart + row * out.stride + n] = dot(
          a.data,
          aStart + row * a.stride,
          b.data,
          b.start + n * b.stride,
          K,
        );
      }
    }
  }
  for (let m = wholeM; m < M; m++) {
    const aStart = a.start + m * a.stride;
    const outStart = out.start + m * out.stride;
    for (let n = 0; n < wholeN; n += 4) {
      tile1x4(a.data, aStart, b.data, b.start + n * b.stride, b.stride, out.data, outStart + n, K);
    }
    for (let n = wholeN; n < N; n++) {
      out.data[outStart + n] = dot(a.data, aStart, b.data, b.start + n * b.stride, K);
    }
  }
}

type F32 = Float32Array<ArrayBuffer>;

/** Four rows of `a` with four rows of `b`. Positional parameters: this is called millions of times. */
function tile4x4(
  a: F32,
  a0: number,
  aStride: number,
  b: F32,
  b0: number,
  bStride: number,
  out: F32,
  o0: number,
  outStride: number,
  K: number,
): void {
  const a1 = a0 + aStride, a2 = a1 + aStride, a3 = a2 + aStride;
  const b1 = b0 + bStride, b2 = b1 + bStride, b3 = b2 + bStride;
  let s00 = 0, s01 = 0, s02 = 0, s03 = 0;
  let s10 = 0, s11 = 0, s12 = 0, s13 = 0;
  let s20 = 0, s21 = 0, s22 = 0, s23 = 0;
  let s30 = 0, s31 = 0, s32 = 0, s33 = 0;
  for (let k = 0; k < K; k++) {
    const y0 = b[b0 + k], y1 = b[b1 + k], y2 = b[b2 + k], y3 = b[b3 + k];
    const x0 = a[a0 + k];
    s00 += x0 * y0, s01 += x0 * y1, s02 += x0 * y2, s03 += x0 * y3;
    const x1 = a[a1 + k];
    s10 += x1 * y0, s11 += x1 * y1, s12 += x1 * y2, s13 += x1 * y3;
    const x2 = a[a2 + k];
    s20 += x2 * y0, s21 += x2 * y1, s22 += x2 * y2, s23 += x2 * y3;
    const x3 = a[a3 + k];
    s30 += x3 * y0, s31 += x3 * y1, s32 += x3 * y2, s33 += x3 * y3;
  }
  const o1 = o0 + outStride, o2 = o1 + outStride, o3 = o2 + outStride;
  out[o0] = s00, out[o0 + 1] = s01, out[o0 + 2] = s02, out[o0 + 3] = s03;
  out[o1] = s10, out[o1 + 1] = s11, out[o1 + 2] = s12, out[o1 + 3] = s13;
  out[o2] = s20, out[o2 + 1] = s21, out[o2 + 2] = s22, out[o2 + 3] = s23;
  out[o3] = s30, out[o3 + 1] = s31, out[o3 + 2] = s32, out[o3 + 3] = s33;
}

/** One row of `a` with four rows of `b`: the decoder's case, one token at a time. */
function tile1x4(
  a: F32,
  a0: number,
  b: F32,
  b0: number,
  bStride: number,
  out: F32,
  o0: number,
  K: number,
): void {
  const b1 = b0 + bStride, b2 = b1 + bStride, b3 = b2 + bStride;
  let s0 = 0, s1 = 0, s2 = 0, s3 = 0;
  for (let k = 0; k < K; k++) {
    const x = a[a0 + k];
    s0 += x * b[b0 + k], s1 += x * b[b1 + k], s2 += x * b[b2 + k], s3 += x * b[b3 + k];
  }
  out[o0] = s0, out[o0 + 1] = s1, out[o0 + 2] = s2, out[o0 + 3] = s3;
}

function dot(a: F32, a0: number, b: F32, b0: number, K: number): number {
  let sum = 0;
  for (let k = 0; k < K; k++) sum += a[a0 + k] * b[b0 + k];
  return sum;
}

/**
 * Weight matrices as the NPU's products take them: B [K, N], row-major, or BFP16 [N, K] in DIM32 order.
 *
 * @module
 */

import { bfp16Layout } from "../../tensor/bfp16_layout.ts";
import type { Formats } from "../../tensor/formats.ts";
import type { MatmulProgram } from "./design.ts";
import type { Scaling } from "./policy.ts";
import type { HeadPlaces, WeightMatrix } from "./program.ts";

/** A weight matrix in memory. */
export interface PackedMatrix {
  /** Its bytes. */
  readonly bytes: ArrayBufferView<ArrayBuffer>;
  /** F32 [N], the scale of each column of integers; null of other types. */
  readonly columnScales: Float32Array<ArrayBuffer> | null;
}

/** One of the weights of a matrix, F32 [n, k] row-major; of a convolution [n, channels, 3]. */
export interface PackedPart {
  /** Its values. */
  readonly values: Float32Array<ArrayBuffer>;
  /** Output columns. */
  readonly n: number;
}

/** Index i of a head's values among those that are spread to places. */
export function placeOf(i: number, heads: HeadPlaces | null): number {
  return heads === null ? i : Math.floor(i / heads.width) * heads.step + i % heads.width;
}

/** F32 [n, K] of one weight, columns in the order in which A has them. */
function spread({ values, n }: PackedPart, { K, channels, heads }: WeightMatrix): {
  values: Float32Array<ArrayBuffer>;
  n: number;
} {
  const k = values.length / n;
  const wide = heads?.axis === "N" ? heads : null;
  const deep = heads?.axis === "K" ? heads : null;
  const rows = wide ? n / wide.width * wide.step : n;
  if (channels === null && deep === null && rows === n && k === K) return { values, n };
  const out = new Float32Array(rows * K);
  for (let r = 0; r < n; r++) {
    const row = placeOf(r, wide) * K;
    for (let i = 0; i < k; i++) {
      // A convolution's weight is [channels, 3]; A has the channels of a frame together.
      const column = channels === null ? placeOf(i, deep) : i % 3 * channels + Math.floor(i / 3);
      out[row + column] = values[r * k + i];
    }
  }
  return { values: out, n: rows };
}

/** Square blocks of this size are transposed at a time: they stay in the first-level cache. */
const BLOCK = 32;

function transposed<A extends Uint16Array<ArrayBuffer> | Int8Array<ArrayBuffer>>(
  codes: A,
  [N, K]: [number, number],
  out: A,
): A {
  for (let n0 = 0; n0 < N; n0 += BLOCK) {
    for (let k0 = 0; k0 < K; k0 += BLOCK) {
      for (let k = k0; k < Math.min(k0 + BLOCK, K); k++) {
        for (let n = n0; n < Math.min(n0 + BLOCK, N); n++) out[k * N + n] = codes[n * K + k];
      }
    }
  }
  return out;
}

/**
 * Packs a matrix.
 *
 * @param parts Its weights, side by side along N.
 * @param program The tile program that multiplies with it.
 */
export async function packMatrix(
  matrix: WeightMatrix,
  parts: readonly PackedPart[],
  { formats, program, scaling }: {
    readonly formats: Formats;
    readonly program: MatmulProgram;
    readonly scaling: Scaling;
  },
): Promise<PackedMatrix> {
  const { K, N, operand } = matrix;
  const wide = parts.map((part) => spread(part, matrix));
  if (operand === "i8") {
    const codes = new Int8Array(N * K);
    const columnScales = new Float32Array(N);
    let row = 0;
    for (const { values, n } of wide) {
      const granularity = scaling === "tensor" ? "tensor" : "row";
      const quantized = await formats.quantizeInt8(values, [n, K], { granularity });
      codes.set(quantized.codes, row * K);
      for (let i = 0; i < n; i++) columnScales[row + i] = quantized.scales[granularity === "tensor" ? 0 : i];
      row += n;
    }
    return { bytes: transposed(codes, [N, K], new Int8Array(N * K)), columnScales };
  }
  const whole = wide.length === 1 && wide[0].n === N ? wide[0].values : new Float32Array(N * K);
  if (whole !== wide[0].values) {
    let row = 0;
    for (const { values, n } of wide) {
      whole.set(values, row * K);
      row += n;
    }
  }
  if (operand === "bfp16") {
    const layout = bfp16Layout(N, K, { order: "dim32", tile: [program.n, program.k] });
    return { bytes: await formats.packBfp16(whole, layout), columnScales: null };
  }
  const codes = await formats.toBf16(whole);
  return { bytes: transposed(codes, [N, K], new Uint16Array(N * K)), columnScales: null };
}

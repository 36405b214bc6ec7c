/**
 * What the host does between two products of the NPU, in one pass over the rows of a matrix:
 *
 *     x = source · row scale · column scale + bias;  GELU;  + addend  → out;  layer norm;  → target, converted
 *
 * libsotto_cpu reads and writes the NPU's mapped buffers itself (`native/cpu/rows_pass.c`); without it the same is done
 * here, on copies of them.
 *
 * @module
 */

import type { XrtBuffer } from "../../ffi/xrt_objects.ts";
import { packBfp16 } from "../../tensor/bfp16.ts";
import { bfp16Layout } from "../../tensor/bfp16_layout.ts";
import { bf16ToFloat32, float32ToBf16 } from "../../tensor/half.ts";
import { quantizeInt8 } from "../../tensor/integers.ts";
import { gelu } from "../portable/gelu.ts";
import { layerNorm } from "../portable/layernorm.ts";

/** Where the rows come from: an array, or a buffer of the NPU. */
export interface RowsSource {
  /** Type of its values. */
  readonly type: "f32" | "i32" | "bf16";
  /** Values from one row to the next. */
  readonly stride: number;
  /** Whose first values are taken. */
  readonly from: Float32Array<ArrayBuffer> | XrtBuffer;
}

/** Where the converted rows go; what lies around them there becomes 0. */
export interface RowsTarget {
  /** `i8` has a scale for each row. */
  readonly type: "f32" | "bf16" | "bfp16" | "i8";
  /** Values from one row to the next, at least `columns`. */
  readonly stride: number;
  /** Rows there are. */
  readonly rows: number;
  /** Where the first one goes. */
  readonly firstRow: number;
  /** Kernel tile of the DIM32 order of bfp16 [rows, columns]. */
  readonly tile?: readonly [number, number];
  /** Where to. */
  readonly to: Float32Array<ArrayBuffer> | XrtBuffer;
  /** [rows], of `i8`. */
  readonly scales?: Float32Array<ArrayBuffer>;
}

/** A pass over rows. */
export interface RowsPass {
  /** Rows. */
  readonly rows: number;
  /** Values of each. */
  readonly columns: number;
  /** What is read. */
  readonly source: RowsSource;
  /** [rows] or [1]; wants `columnScales`. */
  readonly rowScales?: Float32Array<ArrayBuffer>;
  /** [columns]. */
  readonly columnScales?: Float32Array<ArrayBuffer>;
  /** [columns]. */
  readonly bias?: Float32Array<ArrayBuffer>;
  /** Whether there is a GELU behind the bias. */
  readonly gelu: boolean;
  /** [rows, columns], added behind the GELU; may be `out`. */
  readonly addend?: Float32Array<ArrayBuffer>;
  /** [rows, columns], receives what is there before the layer norm. */
  readonly out?: Float32Array<ArrayBuffer>;
  /** Weight and bias [columns] of a layer norm. */
  readonly norm?: { readonly weight: Float32Array<ArrayBuffer>; readonly bias: Float32Array<ArrayBuffer> };
  /** What is written beside `out`. */
  readonly target?: RowsTarget;
}

/** Who makes passes over rows. */
export interface RowsWorker {
  /** Makes one; the source's buffer has been written by the NPU, the target's is flushed to it. */
  pass(pass: RowsPass): Promise<void>;
}

/** Bytes of a target. */
export function targetBytes({ type, stride, rows }: Pick<RowsTarget, "type" | "stride" | "rows">): number {
  const bits = { f32: 32, bf16: 16, bfp16: 9, i8: 8 };
  return rows * stride * bits[type] / 8;
}

/** Bytes of a source that a pass reads. */
export function sourceBytes({ rows, columns, source }: RowsPass): number {
  return ((rows - 1) * source.stride + columns) * (source.type === "bf16" ? 2 : 4);
}

/** Plain TypeScript, on one thread. */
export const PORTABLE_ROWS: RowsWorker = {
  async pass(pass: RowsPass): Promise<void> {
    const { rows, columns, target } = pass;
    const values = await sourceRows(pass);
    const { rowScales, columnScales, bias, addend } = pass;
    for (let r = 0; r < rows; r++) {
      const scale = rowScales === undefined ? 1 : rowScales[rowScales.length === 1 ? 0 : r];
      for (let c = 0; c < columns; c++) {
        const i = r * columns + c;
        let x = values[i];
        if (columnScales) x = Math.fround(x * Math.fround(scale * columnScales[c]));
        if (bias) x = Math.fround(x + bias[c]);
        if (pass.gelu) x = Math.fround(gelu(x));
        if (addend) x += addend[i];
        values[i] = x;
      }
    }
    pass.out?.set(values);
    if (pass.norm) layerNorm({ input: values, out: values, ...pass.norm, rows, columns });
    if (target) await store(values, pass, target);
  },
};

async function sourceRows(pass: RowsPass): Promise<Float32Array<ArrayBuffer>> {
  const { rows, columns, source } = pass;
  const all = source.from instanceof Float32Array ? source.from : await readBuffer(source.from, pass);
  const values = new Float32Array(rows * columns);
  for (let r = 0; r < rows; r++) {
    values.set(all.subarray(r * source.stride, r * source.stride + columns), r * columns);
  }
  return values;
}

async function readBuffer(buffer: XrtBuffer, pass: RowsPass): Promise<Float32Array<ArrayBuffer>> {
  const bytes = new Uint8Array(sourceBytes(pass));
  await buffer.read(bytes);
  switch (pass.source.type) {
    case "f32":
      return new Float32Array(bytes.buffer);
    case "i32":
      return Float32Array.from(new Int32Array(bytes.buffer));
    case "bf16":
      return bf16ToFloat32(new Uint16Array(bytes.buffer));
  }
}

async function store(
  values: Float32Array<ArrayBuffer>,
  { rows, columns }: RowsPass,
  target: RowsTarget,
): Promise<void> {
  const place = <A extends Float32Array | Uint16Array | Int8Array>(codes: A, all: A): A => {
    for (let r = 0; r < rows; r++) {
      all.set(codes.subarray(r * columns, (r + 1) * columns), (target.firstRow + r) * target.stride);
    }
    return all;
  };
  const size = target.rows * target.stride;
  const converted = ():
    | Float32Array<ArrayBuffer>
    | Uint16Array<ArrayBuffer>
    | Int8Array<ArrayBuffer>
    | Uint8Array<ArrayBuffer> => {
    switch (target.type) {
      case "f32":
        return place(values, new Float32Array(size));
      case "bf16":
        return place(float32ToBf16(values), new Uint16Array(size));
      case "i8": {
        const { codes, scales } = quantizeInt8(values, [rows, columns], { granularity: "row" });
        target.scales!.set(scales);
        return place(codes, new Int8Array(size));
      }
      case "bfp16": {
        const padTo = [target.rows, target.stride] as const;
        return packBfp16(values, bfp16Layout(rows, columns, { order: "dim32", tile: target.tile, padTo }));
      }
    }
  };
  if (target.to instanceof Float32Array) target.to.set(converted() as Float32Array<ArrayBuffer>);
  else await target.to.write(converted());
}

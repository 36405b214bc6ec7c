/**
 * What the host does between two products of the NPU, in one pass over the rows of a matrix:
 *
 *     x = source · row scale · column scale + bias;  GELU;  + addend  → out;  layer norm;  → target, converted
 *
 * libsotto_cpu reads and writes the NPU's mapped buffers itself (`native/cpu/rows_pass.c`).
 *
 * @module
 */

import type { XrtBuffer } from "./xrt_objects.ts";

/** Where the rows come from: an array, or a buffer of the NPU. */
export interface RowsSource {
  /** Type of its values. */
  readonly type: "f32" | "i32" | "bf16";
  /** Values from one row to the next. */
  readonly stride: number;
  /** Whose first values are taken. */
  readonly from: Float32Array<ArrayBuffer> | XrtBuffer;
  /** Bytes of a buffer of the NPU that are skipped, a multiple of 4; default 0. */
  readonly offset?: number;
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
  /** Bytes of a buffer of the NPU that are left as they are, a multiple of 4; default 0. */
  readonly offset?: number;
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

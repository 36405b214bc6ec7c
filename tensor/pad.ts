/**
 * Padding matrices to the sizes that kernels work on.
 *
 * @module
 */

import { SottoError } from "../errors.ts";
import { requireLength, requireSize } from "./quantization.ts";

/** Element arrays that matrices are kept in. */
export type MatrixArray =
  | Float32Array<ArrayBuffer>
  | Uint16Array<ArrayBuffer>
  | Int8Array<ArrayBuffer>
  | Int16Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>
  | Uint8Array<ArrayBuffer>;

/** The least multiple of `step` that is not below `size`. */
export function roundUp(size: number, step: number): number {
  return Math.ceil(size / step) * step;
}

/**
 * A matrix with zeros after its rows and columns; `values` itself where nothing is to be added.
 *
 * @param values [rows, columns].
 * @param padded Sizes not below the matrix's.
 * @throws {SottoError} E_OPTION if sizes do not fit.
 */
export function padMatrix<A extends MatrixArray>(
  values: A,
  [rows, columns]: readonly [rows: number, columns: number],
  [paddedRows, paddedColumns]: readonly [rows: number, columns: number],
): A {
  requireSizes(values, [rows, columns], [paddedRows, paddedColumns]);
  if (paddedRows === rows && paddedColumns === columns) return values;
  const padded = new (values.constructor as new (length: number) => A)(paddedRows * paddedColumns);
  copyRows(values, columns, padded, paddedColumns, rows, columns);
  return padded;
}

/**
 * The upper left part of a padded matrix: a view where only rows were added, else a copy.
 *
 * @param values [paddedRows, paddedColumns].
 * @throws {SottoError} E_OPTION if sizes do not fit.
 */
export function cropMatrix<A extends MatrixArray>(
  values: A,
  [paddedRows, paddedColumns]: readonly [rows: number, columns: number],
  [rows, columns]: readonly [rows: number, columns: number],
): A {
  requireSizes(values, [rows, columns], [paddedRows, paddedColumns], paddedRows * paddedColumns);
  if (columns === paddedColumns) return values.subarray(0, rows * columns) as A;
  const cropped = new (values.constructor as new (length: number) => A)(rows * columns);
  copyRows(values, paddedColumns, cropped, columns, rows, columns);
  return cropped;
}

function copyRows(
  from: MatrixArray,
  fromStride: number,
  to: MatrixArray,
  toStride: number,
  rows: number,
  columns: number,
): void {
  for (let r = 0; r < rows; r++) {
    to.set(from.subarray(r * fromStride, r * fromStride + columns), r * toStride);
  }
}

function requireSizes(
  values: MatrixArray,
  [rows, columns]: readonly [number, number],
  [paddedRows, paddedColumns]: readonly [number, number],
  length: number = rows * columns,
): void {
  requireSize("rows", rows);
  requireSize("columns", columns);
  requireSize("padded rows", paddedRows);
  requireSize("padded columns", paddedColumns);
  if (paddedRows < rows || paddedColumns < columns) {
    throw new SottoError(
      "E_OPTION",
      `Cannot pad [${rows}, ${columns}]: the padded sizes must not be smaller, got [${paddedRows}, ${paddedColumns}]`,
    );
  }
  requireLength("values", values, length);
}

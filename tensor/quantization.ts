/**
 * Which values of a matrix share a scale.
 *
 * A matrix [rows, columns] is cut into equal blocks; each block has a scale, and where the scheme is
 * asymmetric a zero point. In a product [M, K] · [K, N] the left operand is kept as [M, K] and the right one
 * transposed as [N, K], so that both have K along their rows.
 *
 * @module
 */

import { SottoError } from "../errors.ts";

/**
 * - `tensor`: one scale for all.
 * - `row`: one for each row (an activation's frame, a weight's output channel kept as [N, K]).
 * - `column`: one for each column.
 * - `{ group: G }`: one for each G consecutive values of a row. G must divide the columns.
 */
export type Granularity = "tensor" | "row" | "column" | { readonly group: number };

/** Sizes of a matrix and of the blocks it is cut into. */
export interface ScaleGrid {
  /** Rows of the matrix. */
  readonly rows: number;
  /** Columns of the matrix. */
  readonly columns: number;
  /** Rows of a block; divides `rows`. */
  readonly blockRows: number;
  /** Columns of a block; divides `columns`. */
  readonly blockColumns: number;
}

/**
 * Cuts a matrix into blocks.
 *
 * @throws {SottoError} E_OPTION if a size is not a positive whole number, or the group does not divide the
 * columns.
 */
export function scaleGrid(rows: number, columns: number, granularity: Granularity): ScaleGrid {
  requireSize("rows", rows);
  requireSize("columns", columns);
  if (granularity === "tensor") return { rows, columns, blockRows: rows, blockColumns: columns };
  if (granularity === "row") return { rows, columns, blockRows: 1, blockColumns: columns };
  if (granularity === "column") return { rows, columns, blockRows: rows, blockColumns: 1 };
  const { group } = granularity;
  requireSize("group", group);
  if (columns % group !== 0) {
    throw new SottoError(
      "E_OPTION",
      `Cannot quantize in groups of ${group}: they must divide the row's ${columns} values`,
      { hint: `Pad the rows to a multiple of ${group}, or take another group.` },
    );
  }
  return { rows, columns, blockRows: 1, blockColumns: group };
}

/** How many blocks there are, along a row and in all. */
export function blockCount(grid: ScaleGrid): { readonly perRow: number; readonly total: number } {
  const perRow = grid.columns / grid.blockColumns;
  return { perRow, total: perRow * (grid.rows / grid.blockRows) };
}

/** @throws {SottoError} E_OPTION unless `size` is a positive whole number. */
export function requireSize(name: string, size: number): void {
  if (!Number.isSafeInteger(size) || size < 1) {
    throw new SottoError("E_OPTION", `Cannot convert: ${name} must be a positive whole number, got ${size}`);
  }
}

/** @throws {SottoError} E_OPTION unless `array` has that many elements. */
export function requireLength(name: string, array: ArrayLike<unknown>, length: number): void {
  if (array.length !== length) {
    throw new SottoError(
      "E_OPTION",
      `Cannot convert: ${name} must have ${length} elements, got ${array.length}`,
    );
  }
}

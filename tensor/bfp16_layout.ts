/**
 * Where the 9-byte blocks of a BFP16 matrix lie.
 *
 * `rows` order: each row's blocks one after the other.
 *
 * `dim32` order, which products on XDNA2 want: the matrix, or each kernel tile of it, is walked in subtiles
 * of 8 rows × 1 block (8 rows × 9 bytes), left to right, then top to bottom, and each subtile's 72 bytes are
 * stored in a row:
 *
 *     subtile 0           subtile 1               memory
 *     row 0: e mmmmmmmm   row 0: e mmmmmmmm       subtile 0: row 0, row 1, … row 7
 *     row 1: e mmmmmmmm   row 1: e mmmmmmmm       subtile 1: row 0, row 1, … row 7
 *       …                   …                       …
 *
 * A tile keeps its place in the matrix: its bytes fill the same rectangle of the row-major byte matrix [rows,
 * columns · 9 / 8] that they filled before, rectangle row by rectangle row, as the toolchain's own host code
 * does and as a DMA descriptor cuts the tile out again. A tile narrower than the matrix is therefore a
 * multiple of 64 columns: a rectangle row is whole subtiles.
 *
 * @module
 */

import { SottoError } from "../errors.ts";
import { requireSize } from "./quantization.ts";
import { roundUp } from "./pad.ts";

/** Values of a block. */
export const BFP16_BLOCK = 8;
/** Bytes of a block: the exponent, then a mantissa for each value. */
export const BFP16_BLOCK_BYTES = 9;
/** Rows of a subtile of the `dim32` order. */
export const SUBTILE_ROWS = 8;
/** Bytes of a subtile: 72. */
export const SUBTILE_BYTES = SUBTILE_ROWS * BFP16_BLOCK_BYTES;
/** A tile narrower than its matrix is a multiple of this: each of its byte rows is then whole subtiles. */
const TILE_COLUMN_STEP = BFP16_BLOCK * SUBTILE_ROWS;

/** The order of blocks in memory. */
export type Bfp16Order = "rows" | "dim32";

/** A checked layout; made by {@linkcode bfp16Layout}. */
export interface Bfp16Layout {
  /** Rows of the matrix. */
  readonly rows: number;
  /** Columns of the matrix. */
  readonly columns: number;
  /** Rows in memory; those beyond the matrix's are 0. */
  readonly storedRows: number;
  /** Columns in memory, a multiple of 8; those beyond the matrix's are 0. */
  readonly storedColumns: number;
  /** The order of blocks. */
  readonly order: Bfp16Order;
  /** Rows of a kernel tile; `storedRows` where there is one tile, or the order is `rows`. */
  readonly tileRows: number;
  /** Columns of a kernel tile; `storedColumns` where there is one tile, or the order is `rows`. */
  readonly tileColumns: number;
}

/** How a matrix is laid out. */
export interface Bfp16LayoutOptions {
  /** Default `rows`. */
  readonly order?: Bfp16Order;
  /**
   * Kernel tile [rows, columns] of the `dim32` order: multiples of 8 and of 64 (of 8, where a tile is as wide
   * as the matrix); default the whole matrix.
   */
  readonly tile?: readonly [rows: number, columns: number];
  /**
   * Sizes in memory are rounded up to multiples of these [rows, columns]: default the tile; without one
   * [8, 8] for `dim32`, [1, 8] for `rows`.
   */
  readonly padTo?: readonly [rows: number, columns: number];
}

/**
 * The layout of a matrix [rows, columns].
 *
 * @throws {SottoError} E_OPTION if sizes are not positive, the tile is of the wrong size or does not divide
 * the padded matrix,
 * or a tile is given with `rows`.
 */
export function bfp16Layout(rows: number, columns: number, options: Bfp16LayoutOptions = {}): Bfp16Layout {
  const { order = "rows", tile } = options;
  requireSize("rows", rows);
  requireSize("columns", columns);
  if (order === "rows" && tile) {
    throw new SottoError("E_OPTION", `Cannot lay out BFP16: the order "rows" has no tiles, got [${tile}]`, {
      hint: 'Take the order "dim32".',
    });
  }
  const [rowStep, columnStep] = options.padTo ?? tile ?? [order === "rows" ? 1 : SUBTILE_ROWS, BFP16_BLOCK];
  requireMultiple("padded columns", columnStep, BFP16_BLOCK);
  requireMultiple("padded rows", rowStep, order === "rows" ? 1 : SUBTILE_ROWS);
  const storedRows = roundUp(rows, rowStep);
  const storedColumns = roundUp(columns, columnStep);
  const [tileRows, tileColumns] = tile ?? [storedRows, storedColumns];
  if (tile) {
    requireMultiple("tile rows", tileRows, SUBTILE_ROWS);
    requireMultiple(
      "tile columns",
      tileColumns,
      tileColumns === storedColumns ? BFP16_BLOCK : TILE_COLUMN_STEP,
    );
    if (storedRows % tileRows !== 0 || storedColumns % tileColumns !== 0) {
      throw new SottoError(
        "E_OPTION",
        `Cannot lay out BFP16: tiles of [${tile}] must divide the padded matrix, got [${storedRows}, ${storedColumns}]`,
      );
    }
  }
  return { rows, columns, storedRows, storedColumns, order, tileRows, tileColumns };
}

function requireMultiple(name: string, size: number, step: number): void {
  if (Number.isSafeInteger(size) && size > 0 && size % step === 0) return;
  throw new SottoError(
    "E_OPTION",
    `Cannot lay out BFP16: ${name} must be a multiple of ${step}, got ${size}`,
  );
}

/** Bytes of a matrix: 9 for each 8 stored values. */
export function bfp16Bytes({ storedRows, storedColumns }: Bfp16Layout): number {
  return storedRows * (storedColumns / BFP16_BLOCK) * BFP16_BLOCK_BYTES;
}

/** Where block `block` (of 8 columns) of row `row` begins, in bytes. */
export function bfp16Offset(layout: Bfp16Layout, row: number, block: number): number {
  const bytesPerRow = (layout.storedColumns / BFP16_BLOCK) * BFP16_BLOCK_BYTES;
  if (layout.order === "rows") return row * bytesPerRow + block * BFP16_BLOCK_BYTES;

  const blocksPerTile = layout.tileColumns / BFP16_BLOCK;
  const bytesPerTileRow = blocksPerTile * BFP16_BLOCK_BYTES;
  const tileRow = Math.floor(row / layout.tileRows);
  const tileColumn = Math.floor(block / blocksPerTile);
  const [rowInTile, blockInTile] = [row - tileRow * layout.tileRows, block - tileColumn * blocksPerTile];
  const subtile = Math.floor(rowInTile / SUBTILE_ROWS) * blocksPerTile + blockInTile;
  const inTile = subtile * SUBTILE_BYTES + (rowInTile % SUBTILE_ROWS) * BFP16_BLOCK_BYTES;
  // The tile's bytes fill its rectangle of the byte matrix row by row.
  return (tileRow * layout.tileRows + Math.floor(inTile / bytesPerTileRow)) * bytesPerRow +
    tileColumn * bytesPerTileRow + inTile % bytesPerTileRow;
}

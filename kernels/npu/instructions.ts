/**
 * Generates the instruction stream of matrix products of any size that an overlay's tiles allow.
 *
 * C = A·B on R rows and N columns of compute tiles, tiles m×k and k×n. A _row block_ is R·m rows of A and C. For each
 * row block, for each n-wide block of columns that a column of the array is given, the shim tiles send K/k tiles of A
 * and of B and take the C tiles:
 *
 *     A   row block cut among f = min(R, columns) feeders (MM2S 0), sent again for every block of columns
 *     B   column c takes the blocks c, c + columns, …  (MM2S 1), sent again for every row block
 *     C   column c gives the same blocks, R·m rows each (S2MM 0)
 *
 * A descriptor does all of that for one row block; C's iterates over two of them, so that a batch is two row blocks.
 *
 * @module
 */

import { SottoError } from "../../errors.ts";
import { checkDesign, type MatmulProgram, type OverlayDesign, type TileType, TYPE_BITS } from "./design.ts";
import { type DmaPattern, LIMITS, linear } from "./shim_dma.ts";
import { BATCH_TASKS, type PlacedTransfer, StreamBuilder } from "./stream_builder.ts";
import type { Transaction } from "./transaction.ts";

/** Channels that MLIR-AIE's products use. */
const CHANNEL_A = 0;
const CHANNEL_B = 1;
const CHANNEL_C = 0;

/** A matrix in a buffer. */
export interface MatrixPlace {
  /** Index of the buffer: 0 for bo0. */
  readonly argument: number;
  /** Where its first value lies, bytes, a multiple of 4; default 0. */
  readonly offset?: number;
  /** Values from one row to the next; default the matrix's columns. Row-major; bfp16 B is [N, K]. */
  readonly stride?: number;
}

/** A product C [M, N] = A [M, K] · B [K, N]; sizes are multiples of what the overlay does at once. */
export interface Product {
  /** Rows, a multiple of rows·m. */
  readonly M: number;
  /** A multiple of k. */
  readonly K: number;
  /** Columns, a multiple of columns·n. */
  readonly N: number;
  /** Default bo0. */
  readonly a?: MatrixPlace;
  /** Default bo1. */
  readonly b?: MatrixPlace;
  /** Default bo2. */
  readonly c?: MatrixPlace;
  /** Index of the overlay's program; default the first matmul. */
  readonly program?: number;
}

/** What an array does at once: sizes must be multiples of these. */
export interface Granularity {
  /** rows · m. */
  readonly M: number;
  /** k. */
  readonly K: number;
  /** columns · n. */
  readonly N: number;
}

/** Sizes of products on this overlay are multiples of these. */
export function granularityOf(design: OverlayDesign, program: MatmulProgram): Granularity {
  return { M: design.rows * program.m, K: program.k, N: design.columns * program.n };
}

/** The overlay's matmul program of this index, or its first. */
export function matmulProgram(
  design: OverlayDesign,
  index?: number,
): { index: number; program: MatmulProgram } {
  const found = index ?? design.programs.findIndex((program) => program.kind === "matmul");
  const program = design.programs[found];
  if (program?.kind !== "matmul") {
    throw new SottoError(
      "E_OPTION",
      `Cannot generate a stream because the overlay's program must be a matmul: got ${
        program?.kind ?? "none"
      }`,
    );
  }
  return { index: found, program };
}

/** Words of `count` values of a row. */
function wordsOfValues(type: TileType, count: number, what: string): number {
  const words = count * TYPE_BITS[type] / 32;
  if (!Number.isInteger(words)) {
    throw new SottoError(
      "E_OPTION",
      `Cannot generate a stream because ${what} must take whole 32-bit words: got ${count} values of ${type}`,
    );
  }
  return words;
}

function requireMultiple(value: number, of: number, what: string): void {
  if (Number.isInteger(value) && value > 0 && value % of === 0) return;
  throw new SottoError(
    "E_OPTION",
    `Cannot generate a stream because ${what} must be a multiple of ${of}: got ${value}`,
    { hint: "Pad the matrices (planProduct says to which sizes)." },
  );
}

function requireReduction(design: OverlayDesign, program: MatmulProgram, K: number): void {
  if (program.reduce === null || program.reduce * program.k === K) return;
  throw new SottoError(
    "E_OPTION",
    `Cannot generate a stream because the overlay sums ${program.reduce} tiles of ${program.k} along K: got K = ${K}`,
    { hint: design.runtime === null ? "Its tile programs have that number compiled in." : "" },
  );
}

/** One product on one design, in words. */
class ProductStream {
  readonly #m: number;
  readonly #k: number;
  readonly #n: number;
  readonly #kTiles: number;
  readonly #rowBlocks: number;
  readonly #columnBlocks: number;
  /** Words of a row of a tile of A, B, C. */
  readonly #row: { readonly a: number; readonly b: number; readonly c: number };
  /** Words from one row of the matrix to the next. */
  readonly #stride: { readonly a: number; readonly b: number; readonly c: number };

  constructor(
    private readonly design: OverlayDesign,
    private readonly program: MatmulProgram,
    private readonly product: Product,
  ) {
    const { m, k, n, input, output } = program;
    const unit = granularityOf(design, program);
    requireMultiple(product.M, unit.M, "M");
    requireMultiple(product.K, unit.K, "K");
    requireMultiple(product.N, unit.N, "N");
    requireReduction(design, program, product.K);
    [this.#m, this.#k, this.#n] = [m, k, n];
    this.#kTiles = product.K / k;
    this.#rowBlocks = product.M / unit.M;
    this.#columnBlocks = product.N / unit.N;
    const bRow = this.transposed ? k : n;
    this.#row = {
      a: wordsOfValues(input, k, "a row of a tile of A"),
      b: wordsOfValues(input, bRow, "a row of a tile of B"),
      c: wordsOfValues(output, n, "a row of a tile of C"),
    };
    this.#stride = {
      a: wordsOfValues(input, product.a?.stride ?? product.K, "a row of A"),
      b: wordsOfValues(input, product.b?.stride ?? (this.transposed ? product.K : product.N), "a row of B"),
      c: wordsOfValues(output, product.c?.stride ?? product.N, "a row of C"),
    };
  }

  /** bfp16 comes with B as [N, K]: its blocks share exponents along K. */
  get transposed(): boolean {
    return this.program.input === "bfp16";
  }

  /** Words from one row block of C to the next. */
  get #rowBlockWords(): number {
    return this.design.rows * this.#m * this.#stride.c;
  }

  /** Row blocks that one batch does: two, unless C's descriptor cannot step that far. */
  get rowBlocksPerBatch(): number {
    return this.#rowBlockWords <= LIMITS.step ? BATCH_TASKS : 1;
  }

  /** Blocks of columns that one descriptor of B goes through. */
  get columnBlocksPerSpan(): number {
    return LIMITS.iterations;
  }

  /** Calls back for every batch: row blocks `row`…, blocks of columns `block`…. */
  *batches(): Generator<PlacedTransfer[]> {
    for (let block = 0; block < this.#columnBlocks; block += this.columnBlocksPerSpan) {
      const blocks = Math.min(this.columnBlocksPerSpan, this.#columnBlocks - block);
      for (let row = 0; row < this.#rowBlocks; row += this.rowBlocksPerBatch) {
        const rows = Math.min(this.rowBlocksPerBatch, this.#rowBlocks - row);
        yield Array.from(
          { length: this.design.columns },
          (_, column) => this.#columnTransfers(column, row, rows, block, blocks),
        ).flat();
      }
    }
  }

  #columnTransfers(
    column: number,
    row: number,
    rows: number,
    block: number,
    blocks: number,
  ): PlacedTransfer[] {
    const { columns, rows: tileRows } = this.design;
    const feeders = Math.min(columns, tileRows);
    const columnsPerFeeder = columns / feeders;
    const b = this.#b(column, block, blocks);
    return [
      this.#c(column, row, rows, block, blocks),
      ...Array.from(
        { length: rows },
        (_, i) =>
          column % columnsPerFeeder === 0
            ? [this.#a(column, column / columnsPerFeeder, row + i, blocks), b]
            : [b],
      ).flat(),
    ];
  }

  #place(
    place: MatrixPlace | undefined,
    argument: number,
    words: number,
  ): { argument: number; offset: number } {
    return { argument: place?.argument ?? argument, offset: (place?.offset ?? 0) + 4 * words };
  }

  #a(column: number, feeder: number, row: number, repeats: number): PlacedTransfer {
    const rowsPerFeeder = this.design.rows / Math.min(this.design.columns, this.design.rows) * this.#m;
    const first = row * this.design.rows * this.#m + feeder * rowsPerFeeder;
    const pattern: DmaPattern = {
      repeats,
      repeatStep: 0,
      blocks: this.#kTiles,
      blockStep: this.#row.a,
      rows: rowsPerFeeder,
      rowStep: this.#stride.a,
      words: this.#row.a,
    };
    const place = this.#place(this.product.a, 0, first * this.#stride.a);
    return { column, direction: "mm2s", channel: CHANNEL_A, pattern, ...place };
  }

  #b(column: number, block: number, repeats: number): PlacedTransfer {
    const first = (block * this.design.columns + column) * this.#n; // column of B
    const along = this.transposed
      ? { step: this.#row.b, rows: this.#n, start: first * this.#stride.b, next: this.#n * this.#stride.b }
      : {
        step: this.#k * this.#stride.b,
        rows: this.#k,
        start: this.#columnWords(first, "b"),
        next: this.#row.b,
      };
    const pattern: DmaPattern = {
      repeats,
      repeatStep: this.design.columns * along.next,
      blocks: this.#kTiles,
      blockStep: along.step,
      rows: along.rows,
      rowStep: this.#stride.b,
      words: this.#row.b,
    };
    const place = this.#place(this.product.b, 1, along.start);
    return { column, direction: "mm2s", channel: CHANNEL_B, pattern, ...place };
  }

  #c(column: number, row: number, repeats: number, block: number, blocks: number): PlacedTransfer {
    const first = (block * this.design.columns + column) * this.#n;
    const pattern: DmaPattern = {
      repeats,
      repeatStep: this.#rowBlockWords,
      blocks,
      blockStep: this.design.columns * this.#row.c,
      rows: this.design.rows * this.#m,
      rowStep: this.#stride.c,
      words: this.#row.c,
    };
    const place = this.#place(this.product.c, 2, row * this.#rowBlockWords + this.#columnWords(first, "c"));
    return { column, direction: "s2mm", channel: CHANNEL_C, pattern, ...place };
  }

  /** Words of the first `columns` values of a row; whole, because they are whole tiles. */
  #columnWords(columns: number, matrix: "b" | "c"): number {
    return columns / this.#n * this.#row[matrix];
  }
}

/**
 * The stream of products, done one after the other in one launch: each is over before the next begins, so that a later one
 * may write over what an earlier one left, or read it.
 *
 * @param design The overlay's.
 * @throws {SottoError} E_OPTION if a size is not a multiple of {@linkcode granularityOf}, K is not what the overlay has
 * compiled in, or a matrix is too wide for a descriptor's steps (2^20 words).
 */
export function productStream(design: OverlayDesign, products: readonly Product[]): Transaction {
  checkDesign(design);
  const stream = new StreamBuilder();
  for (const product of products) {
    const { index, program } = matmulProgram(design, product.program);
    const batches = new ProductStream(design, program, product).batches();
    stream.settle();
    if (design.runtime !== null) stream.runtime(design, { program: index, tiles: product.K / program.k });
    for (const batch of batches) stream.batch(batch);
  }
  return stream.finish(design);
}

/** A buffer that is moved as a whole. */
export interface WholeBuffer {
  /** Index of the buffer: 0 for bo0. */
  readonly argument: number;
  /** Its size, a multiple of 4. */
  readonly bytes: number;
  /** Column of the shim tile; default 0. */
  readonly column?: number;
  /** Channel; default 0. */
  readonly channel?: number;
}

/**
 * The stream of a kernel that takes whole buffers and gives whole buffers: outputs are pushed first, and waited for.
 *
 * @throws {SottoError} E_OPTION if a size is not a multiple of 4.
 */
export function wholeBufferStream(
  design: Pick<OverlayDesign, "generation" | "columns">,
  inputs: readonly WholeBuffer[],
  outputs: readonly WholeBuffer[],
): Transaction {
  const stream = new StreamBuilder();
  const transfer = (buffer: WholeBuffer, direction: "mm2s" | "s2mm"): PlacedTransfer => {
    requireMultiple(buffer.bytes, 4, "a buffer's bytes");
    return {
      column: buffer.column ?? 0,
      direction,
      channel: buffer.channel ?? 0,
      argument: buffer.argument,
      offset: 0,
      pattern: linear(buffer.bytes / 4),
    };
  };
  stream.batch([
    ...outputs.map((buffer) => transfer(buffer, "s2mm")),
    ...inputs.map((buffer) => transfer(buffer, "mm2s")),
  ]);
  return stream.finish(design);
}

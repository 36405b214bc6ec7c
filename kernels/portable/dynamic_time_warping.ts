/**
 * Dynamic time warping: the cheapest way through a matrix of costs.
 *
 * @module
 */

/** Where the cheapest way to a cell comes from: the row and column before, the row before, the column before. */
const DIAGONAL = 0;
const ROW_BEFORE = 1;
const COLUMN_BEFORE = 2;

/** Costs to be walked through. */
export interface CostMatrix {
  /** F32 [rows, columns], row-major; finite. */
  readonly data: Float32Array;
  readonly rows: number;
  readonly columns: number;
}

/**
 * Walks from the first row and column to the last ones at the least sum of costs, one row, one column or both at a
 * time, and tells the column at which each row is entered; these never decrease.
 *
 * Sums are rounded to F32, and of ways equally dear the one along the row is taken, so that the path is
 * openai-whisper's (`whisper/timing.py`, `dtw_cpu`).
 *
 * @returns Int32 [rows].
 */
export function rowEntries({ data, rows, columns }: CostMatrix): Int32Array<ArrayBuffer> {
  const trace = new Uint8Array(rows * columns);
  // Least sums of the row above and of this one; place 0 is the column before the first.
  let above = new Float32Array(columns + 1).fill(Infinity);
  let here = new Float32Array(columns + 1).fill(Infinity);
  above[0] = 0;
  for (let i = 0; i < rows; i++) {
    here[0] = Infinity;
    for (let j = 0; j < columns; j++) {
      const both = above[j];
      const row = above[j + 1];
      const column = here[j];
      let least = column;
      let from = COLUMN_BEFORE;
      if (both < row && both < column) {
        least = both;
        from = DIAGONAL;
      } else if (row < both && row < column) {
        least = row;
        from = ROW_BEFORE;
      }
      here[j + 1] = data[i * columns + j] + least;
      trace[i * columns + j] = from;
    }
    [above, here] = [here, above];
  }

  const entries = new Int32Array(rows);
  for (let i = rows - 1, j = columns - 1; i >= 0 && j >= 0;) {
    entries[i] = j;
    const from = trace[i * columns + j];
    if (from !== COLUMN_BEFORE) i--;
    if (from !== ROW_BEFORE) j--;
  }
  return entries;
}

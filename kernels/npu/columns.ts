/**
 * Rows of cells as lines for people.
 *
 * @module
 */

/**
 * Aligns columns, two spaces between them.
 *
 * @param rows Cells; every row as many as the first.
 * @param toLeft Whether a column's cells go to the left; default the first column's.
 */
export function alignColumns(
  rows: readonly (readonly string[])[],
  toLeft: (column: number) => boolean = (column) => column === 0,
): string[] {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) =>
    row.map((cell, column) => toLeft(column) ? cell.padEnd(widths[column]) : cell.padStart(widths[column]))
      .join("  ").trimEnd()
  );
}

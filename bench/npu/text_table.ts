/**
 * Plain tables for the NPU's report.
 *
 * @module
 */

import { alignColumns } from "../../kernels/npu/columns.ts";

/** Rows as aligned columns, the first to the left, the others to the right; the first row is the header. */
export function textTable(rows: readonly (readonly (string | number)[])[]): string {
  const most = rows[0].length;
  const lines = alignColumns(
    rows.map((row) => Array.from({ length: most }, (_, column) => String(row[column] ?? ""))),
  );
  return [lines[0], "-".repeat(lines[0].length), ...lines.slice(1)].join("\n");
}

/** Nanoseconds as milliseconds. */
export function ms(nanoseconds: number): string {
  const value = nanoseconds / 1e6;
  return value >= 100 ? value.toFixed(0) : value.toFixed(2);
}

/** Bytes as MiB. */
export function mib(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1);
}

/** A share as a percentage. */
export function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}

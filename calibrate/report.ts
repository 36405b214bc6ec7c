/**
 * What a calibration found, as tables.
 *
 * @module
 */

import type { ClipError } from "../encoder/calibration.ts";
import { BLOCK_PRODUCTS, type Rounding, ROUNDINGS } from "../encoder/policy.ts";
import type { Calibrated } from "./calibrate.ts";
import { placeName, placesOf } from "./places.ts";

/** `0.01234` as `1.23`, in per cent. */
export function perCent(share: number): string {
  return (100 * share).toFixed(2);
}

/** Rows of texts in columns as wide as their widest, the first aligned to the left. */
export function aligned(rows: readonly (readonly string[])[]): string {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) =>
    row.map((text, column) => column === 0 ? text.padEnd(widths[column]) : text.padStart(widths[column]))
      .join("  ").trimEnd()
  ).join("\n");
}

/** Errors of each clip, those that were held out apart. */
export function errorTable(clips: readonly ClipError[]): string {
  const rows = (isHeldOut: boolean) =>
    clips.filter((clip) => clip.held_out === isHeldOut)
      .map(({ name, kind, error, built_in }) => [`  ${kind}: ${name}`, perCent(built_in), perCent(error)]);
  return aligned([
    ["relative L2 error, %", "built-in", "calibrated"],
    ["chosen by", "", ""],
    ...rows(false),
    ["held out", "", ""],
    ...rows(true),
  ]);
}

/** What is rounded to what: a line for the convolutions, one for each block. */
export function policyTable(roundings: readonly Rounding[], blocks: number): string {
  const [conv1, conv2, ...rest] = roundings;
  const width = BLOCK_PRODUCTS.length;
  return [
    `conv1 ${conv1}, conv2 ${conv2}`,
    aligned([
      ["block", ...BLOCK_PRODUCTS],
      ...Array.from(
        { length: blocks },
        (_, block) => [`${block}`, ...rest.slice(block * width, (block + 1) * width)],
      ),
    ]),
  ].join("\n");
}

/** Of each place: milliseconds in each rounding, and the largest error that rounding it alone makes. */
export function costTable({ seconds, sensitivity }: Calibrated, blocks: number): string {
  const worst = (place: number, rounding: Rounding) => {
    const squares = sensitivity.known(place, rounding);
    return squares === undefined ? "-" : perCent(Math.sqrt(Math.max(...squares)));
  };
  return aligned([
    ["place", ...ROUNDINGS.map((rounding) => `${rounding}, ms`), "half, %", "int8, %"],
    ...placesOf(blocks).map((place, i) => [
      placeName(place),
      ...ROUNDINGS.map((rounding) => (1000 * seconds[rounding][i]).toFixed(2)),
      worst(i, "half"),
      worst(i, "int8"),
    ]),
  ]);
}

/**
 * A segment as the line that the command prints.
 *
 * @module
 */

import { formatTimestamp } from "../decoder/writers/timestamps.ts";
import type { Segment } from "../decoder/mod.ts";

/** `[00:01.000 --> 00:03.500]  text`, with hours where there are some. */
export function segmentLine({ start, end, text }: Segment): string {
  const times = [start, end].map((time) => formatTimestamp(time, { alwaysHours: false, decimalMark: "." }));
  return `[${times.join(" --> ")}]  ${text.trim()}`;
}

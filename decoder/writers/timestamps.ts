/**
 * Times as subtitles spell them.
 *
 * @module
 */

import { roundHalfEven } from "../rounding.ts";

/** How times are spelled. */
export interface TimeFormat {
  /** Write hours even where there are none. */
  readonly alwaysHours: boolean;
  /** Between seconds and milliseconds. */
  readonly decimalMark: "." | ",";
}

/**
 * A time as `01:02:03.456`.
 *
 * @param seconds 0 or more; rounded to milliseconds, halves to even.
 */
export function formatTimestamp(seconds: number, { alwaysHours, decimalMark }: TimeFormat): string {
  const milliseconds = roundHalfEven(seconds * 1000);
  const part = (unit: number, size: number, digits: number) =>
    String(Math.floor(milliseconds / unit) % size).padStart(digits, "0");
  const hours = Math.floor(milliseconds / 3_600_000);
  const shown = alwaysHours || hours > 0 ? `${String(hours).padStart(2, "0")}:` : "";
  return `${shown}${part(60_000, 60, 2)}:${part(1000, 60, 2)}${decimalMark}${part(1, 1000, 3)}`;
}

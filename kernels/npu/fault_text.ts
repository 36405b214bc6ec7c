/**
 * Says in a fault's message which part of the recording it hit.
 *
 * @module
 */

import { SottoError } from "../../errors.ts";
import type { WaitingWindow } from "./window_queue.ts";

/** 83.4 s as `1:23.4`. */
function clockTime(seconds: number): string {
  const tenths = Math.round(10 * seconds);
  const rest = (tenths % 600 / 10).toFixed(1).padStart(4, "0");
  return `${Math.floor(tenths / 600)}:${rest}`;
}

/** The fault, with the times of the windows that it hit, as far as they are known. */
export function inWindows(fault: SottoError, windows: readonly Pick<WaitingWindow, "options">[]): SottoError {
  const spans = windows.flatMap(({ options: { span } }) => span === undefined ? [] : [span]);
  if (spans.length === 0) return fault;
  const times = spans.map(({ start, end }) => `${clockTime(start)} to ${clockTime(end)}`).join(", ");
  const message = `${fault.message}; in the ${spans.length > 1 ? "windows" : "window"} ${times}`;
  return new SottoError(fault.code, message, { hint: fault.hint, cause: fault });
}

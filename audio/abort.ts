/**
 * Stopping at the caller's wish.
 *
 * @module
 */

import { SottoError } from "../errors.ts";

/** The error for a reader that was stopped. */
export function aborted(signal: AbortSignal, name: string): SottoError {
  return new SottoError("E_ABORTED", `Reading ${name} was stopped by the caller`, { cause: signal.reason });
}

/**
 * Checks a signal between two pieces of work.
 *
 * @throws {SottoError} E_ABORTED if it was given.
 */
export function throwIfAborted(signal: AbortSignal, name: string): void {
  if (signal.aborted) throw aborted(signal, name);
}

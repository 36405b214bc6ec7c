/**
 * Stopping at the caller's wish.
 *
 * @module
 */

import { SottoError } from "./errors.ts";

/**
 * The error of work that was stopped.
 *
 * @param work What was stopped, such as `Reading talk.wav`; default: not said.
 */
export function aborted(signal: AbortSignal | undefined, work?: string): SottoError {
  const message = work === undefined ? "Stopped by the caller" : `${work} was stopped by the caller`;
  return new SottoError("E_ABORTED", message, { cause: signal?.reason });
}

/**
 * Checks a signal between two pieces of work.
 *
 * @throws {SottoError} E_ABORTED if it was given.
 */
export function throwIfAborted(signal: AbortSignal | undefined, work?: string): void {
  if (signal?.aborted) throw aborted(signal, work);
}

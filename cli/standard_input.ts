/**
 * Standard input as the bytes of a recording.
 *
 * @module
 */

import { SottoError } from "../errors.ts";

/**
 * Reads standard input to its end.
 *
 * @param stop Ends the waiting: whoever writes may never finish.
 * @throws {SottoError} E_ABORTED.
 */
export async function readStandardInput(stop: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
  const { promise: stopped, reject } = Promise.withResolvers<never>();
  const onStop = (): void =>
    reject(new SottoError("E_ABORTED", "Stopped while standard input was being read"));
  if (stop.aborted) onStop();
  stop.addEventListener("abort", onStop);
  try {
    return await Promise.race([new Response(Deno.stdin.readable).bytes(), stopped]);
  } finally {
    stop.removeEventListener("abort", onStop);
  }
}

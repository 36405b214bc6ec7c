/**
 * Native calls that end soon after a signal is aborted.
 *
 * @module
 */

import { aborted } from "../abort.ts";
import type { SottoError } from "../errors.ts";

/**
 * Makes a call whose native side polls an array of flags, and ends with SOTTO_CANCELLED where the last is not 0.
 *
 * @param length How many flags it takes; it gets none without a signal.
 * @throws {SottoError} E_ABORTED with the signal's reason as cause, if the call was ended by it; what the call throws.
 */
export async function cancellable(
  signal: AbortSignal | undefined,
  length: number,
  call: (flags: Int32Array<ArrayBuffer | SharedArrayBuffer>) => Promise<void>,
): Promise<void> {
  if (signal === undefined) return await call(new Int32Array(0));
  // Sharing this memory needs no permission, a callback would.
  const flags = new Int32Array(new SharedArrayBuffer(length * Int32Array.BYTES_PER_ELEMENT));
  const cancel = () => void Atomics.store(flags, length - 1, 1);
  signal.addEventListener("abort", cancel, { once: true });
  try {
    await call(flags);
  } catch (error) {
    throw signal.aborted && (error as SottoError).code === "E_ABORTED" ? aborted(signal) : error;
  } finally {
    signal.removeEventListener("abort", cancel);
  }
}

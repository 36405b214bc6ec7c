/**
 * The bytes of a stream, whole: it can be read once, and transcription reads twice.
 *
 * @module
 */

import { SottoError } from "../errors.ts";
import { throwIfAborted } from "../abort.ts";

/** Bytes of a stream at most. A longer recording belongs in a file, which is read in pieces. */
const MAX_STREAM_BYTES = 1 << 30;

/**
 * Reads a stream to its end.
 *
 * @param stream Of U8 chunks; locked until this is done, and cancelled if it fails or is aborted.
 * @throws {SottoError} E_INPUT if it is locked, holds anything but bytes, fails, or is longer than 1 GiB; E_ABORTED.
 */
export async function streamBytes(
  stream: ReadableStream<Uint8Array>,
  name: string,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const refuse = (reason: string, cause?: unknown) =>
    new SottoError("E_INPUT", `Cannot read ${name} because ${reason}`, { cause });
  if (stream.locked) throw refuse("somebody else reads that stream");
  const reader = stream.getReader();
  // A read that never ends is ended by cancelling: it then says done.
  const cancel = () => void reader.cancel(signal.reason).catch(() => {});
  signal.addEventListener("abort", cancel);
  const parts: Uint8Array[] = [];
  let size = 0;
  try {
    throwIfAborted(signal, `Reading ${name}`);
    for (;;) {
      const { done, value } = await reader.read();
      throwIfAborted(signal, `Reading ${name}`);
      if (done) break;
      if (!(value instanceof Uint8Array)) throw refuse(`its chunks must be bytes: got ${typeof value}`);
      parts.push(value);
      size += value.length;
      if (size > MAX_STREAM_BYTES) throw refuse(`it must be at most ${MAX_STREAM_BYTES} bytes: got more`);
    }
  } catch (error) {
    await reader.cancel(error).catch(() => {});
    throw error instanceof SottoError ? error : refuse(`its source failed: ${String(error)}`, error);
  } finally {
    signal.removeEventListener("abort", cancel);
    reader.releaseLock();
  }
  if (parts.length === 1) return parts[0];
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

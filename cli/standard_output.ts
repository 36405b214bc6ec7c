/**
 * Lines on standard output, for readers that may leave early (`… | head -1`).
 *
 * @module
 */

import { SottoError } from "../errors.ts";
import { isDiskFull } from "../model/file_error.ts";

/** Writes lines until the reader is gone; then says so instead of failing. */
export class StandardOutput {
  #isClosed = false;

  /** Whether the reader has left. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /**
   * Writes a line, or nothing if the reader has left.
   *
   * @throws {SottoError} E_DISK_FULL or E_OUTPUT if it goes into a file that takes no more.
   */
  line(text: string): void {
    const bytes = new TextEncoder().encode(`${text}\n`);
    try {
      for (let written = 0; written < bytes.length && !this.#isClosed;) {
        written += Deno.stdout.writeSync(bytes.subarray(written));
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.BrokenPipe)) throw outputError(error);
      this.#isClosed = true;
    }
  }
}

function outputError(cause: unknown): SottoError {
  if (isDiskFull(cause)) {
    return new SottoError("E_DISK_FULL", "Cannot write to standard output because the disk is full", {
      cause,
    });
  }
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new SottoError("E_OUTPUT", `Cannot write to standard output: ${reason}`, { cause });
}

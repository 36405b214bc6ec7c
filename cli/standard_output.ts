/**
 * Lines on standard output, for readers that may leave early (`… | head -1`).
 *
 * @module
 */

/** Writes lines until the reader is gone; then says so instead of failing. */
export class StandardOutput {
  #isClosed = false;

  /** Whether the reader has left. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Writes a line, or nothing if the reader has left. */
  line(text: string): void {
    const bytes = new TextEncoder().encode(`${text}\n`);
    try {
      for (let written = 0; written < bytes.length && !this.#isClosed;) {
        written += Deno.stdout.writeSync(bytes.subarray(written));
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
      this.#isClosed = true;
    }
  }
}

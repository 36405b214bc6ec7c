/**
 * A progress bar on standard error, for terminals only; in a pipe it stays silent.
 *
 * @module
 */

const BAR_WIDTH = 24; // characters
const REDRAW_EVERY = 100; // ms

/** A bar that lines of text can be printed above. */
export class ProgressBar {
  readonly #isShown: boolean;
  #drawn = false;
  #drawnAt = 0;

  /** @param wanted Whether to show it at all; it is never shown where standard error is no terminal. */
  constructor(wanted = true) {
    this.#isShown = wanted && Deno.stderr.isTerminal();
  }

  /** Draws the bar at most every 100 ms. `done` and `total` in any unit; `note` stands behind it. */
  update(done: number, total: number, note: string): void {
    const now = performance.now();
    if (!this.#isShown || (now - this.#drawnAt < REDRAW_EVERY && done < total)) return;
    this.#drawnAt = now;
    this.#drawn = true;
    const share = total > 0 ? Math.min(1, done / total) : 0;
    const filled = Math.round(share * BAR_WIDTH);
    const bar = "█".repeat(filled) + "░".repeat(BAR_WIDTH - filled);
    this.#write(`\r\x1b[2K${bar} ${String(Math.round(share * 100)).padStart(3)} %  ${note}`);
  }

  /** Takes the bar off the screen, so that something else can be printed. */
  clear(): void {
    if (this.#drawn) this.#write("\r\x1b[2K");
    this.#drawn = false;
    this.#drawnAt = 0;
  }

  #write(text: string): void {
    try {
      Deno.stderr.writeSync(new TextEncoder().encode(text));
    } catch {
      // A terminal that went away takes nothing of the work with it.
    }
  }
}

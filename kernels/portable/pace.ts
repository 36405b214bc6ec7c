/**
 * Keeps the event loop alive during long computations: lets timers, input and Ctrl-C through, and notices
 * an abort.
 *
 * @module
 */

import { SottoError } from "../../errors.ts";

/** Longest time without a pause, in ms. With a slice of work of {@linkcode SLICE_OPERATIONS} it stays under 50. */
const PAUSE_EVERY = 40;

/**
 * How many operations a kernel does between two looks at the clock: about 1 ms at the measured 6.5 GFLOP/s,
 * 20 ms on a processor twenty times slower.
 */
export const SLICE_OPERATIONS = 8e6;

/** Counts the time since the last pause of one computation. */
export class Pace {
  readonly #signal: AbortSignal | undefined;
  #since = performance.now();

  /**
   * Starts counting.
   *
   * @param signal Aborting it makes the next check throw.
   * @throws {SottoError} E_ABORTED if it was aborted already.
   */
  constructor(signal?: AbortSignal) {
    this.#signal = signal;
    this.#refuseIfAborted();
  }

  /** Whether it is time for {@linkcode Pace.pause}; asked in loops, so that most rounds await nothing. */
  get due(): boolean {
    return performance.now() - this.#since >= PAUSE_EVERY;
  }

  /**
   * Lets the event loop turn once.
   *
   * @throws {SottoError} E_ABORTED if the signal was aborted.
   */
  async pause(): Promise<void> {
    // A timer costs 2 ms where setImmediate costs 0.01, but the loop polls signals and files while it waits:
    // Ctrl-C came through after 1 ms, with setImmediate after a further turn or several.
    await new Promise((resume) => setTimeout(resume, 0));
    this.#refuseIfAborted();
    this.#since = performance.now();
  }

  #refuseIfAborted(): void {
    if (this.#signal?.aborted) {
      throw new SottoError("E_ABORTED", "Stopped by the caller", { cause: this.#signal.reason });
    }
  }
}

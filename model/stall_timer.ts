/**
 * Ends a transfer that stands still.
 *
 * @module
 */

import { SottoError } from "../errors.ts";

/** An AbortSignal that fires when the caller's does, or when nobody called `moved` for some time. */
export class StallTimer implements Disposable {
  readonly #controller = new AbortController();
  readonly #seconds: number;
  readonly #outer: AbortSignal | undefined;
  readonly #onAbort = (): void =>
    this.#controller.abort(
      new SottoError("E_ABORTED", "Stopped the download", { cause: this.#outer?.reason }),
    );
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Starts counting. */
  constructor(seconds: number, outer?: AbortSignal) {
    this.#seconds = seconds;
    this.#outer = outer;
    if (outer?.aborted) this.#onAbort();
    outer?.addEventListener("abort", this.#onAbort);
    this.moved();
  }

  /** Fires with a {@linkcode SottoError} as its reason: E_ABORTED or E_DOWNLOAD. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Something arrived: start counting again. */
  moved(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#controller.abort(
        new SottoError("E_DOWNLOAD", `The download stood still for ${this.#seconds} s`, {
          hint: "Run again: it goes on where it stopped.",
        }),
      );
    }, this.#seconds * 1000);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#outer?.removeEventListener("abort", this.#onAbort);
  }
}

/**
 * Ctrl-C: the first lets the window in progress finish, the second ends the process.
 *
 * @module
 */

import { printLine } from "./console.ts";

/** Exit status after Ctrl-C or a request to terminate: 128 + SIGINT. */
export const INTERRUPTED = 130;

const SIGNALS: readonly Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT"] : ["SIGINT", "SIGTERM"];

/** Listens for interrupts until it is disposed of. */
export class Interrupts implements Disposable {
  readonly #controller = new AbortController();
  readonly #onSignal = (): void => {
    if (this.signal.aborted) Deno.exit(INTERRUPTED);
    printLine("stopping after this window; once more to stop now");
    this.#controller.abort();
  };

  constructor() {
    for (const signal of SIGNALS) Deno.addSignalListener(signal, this.#onSignal);
  }

  /** Aborted by the first interrupt. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  [Symbol.dispose](): void {
    for (const signal of SIGNALS) Deno.removeSignalListener(signal, this.#onSignal);
  }
}

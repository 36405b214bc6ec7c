/**
 * Bounds how many native calls are in flight.
 *
 * Deno runs nonblocking calls on the 32 threads that also serve its file reads; measured, a pool filled with long
 * calls kept a small file waiting for 18 s. More calls than cores gain nothing anyway.
 *
 * @module
 */

import { aborted, throwIfAborted } from "../abort.ts";

/** Lets a number of tasks run at a time, first come, first served. */
export class CallLimit {
  readonly #limit: number;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  /** @param limit How many tasks may run at a time, at least 1. */
  constructor(limit: number) {
    this.#limit = Math.max(1, limit);
  }

  /**
   * Runs a task when there is room, and answers what it answers.
   *
   * @param signal Ends the waiting; a task that has begun has to watch it itself.
   * @throws {SottoError} E_ABORTED if the signal is aborted before the task begins.
   */
  async run<T>(task: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    throwIfAborted(signal);
    if (this.#running < this.#limit) this.#running++;
    else await this.#turn(signal);
    try {
      return await task();
    } finally {
      const next = this.#waiting.shift();
      if (next) next(); // inherits this task's place
      else this.#running--;
    }
  }

  #turn(signal?: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const leave = () => {
      this.#waiting.splice(this.#waiting.indexOf(enter), 1);
      reject(aborted(signal));
    };
    const enter = () => {
      signal?.removeEventListener("abort", leave);
      resolve();
    };
    signal?.addEventListener("abort", leave, { once: true });
    this.#waiting.push(enter);
    return promise;
  }
}

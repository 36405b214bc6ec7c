/**
 * Who may use an object when: one call at a time, none after disposal.
 *
 * @module
 */

import { SottoError } from "../../errors.ts";

/** Hands out turns on one object. */
export class Turns {
  readonly #what: string;
  #last: Promise<unknown> = Promise.resolve();
  #taken = 0;
  #disposed = false;

  /**
   * Turns on an object that nobody uses yet.
   *
   * @param what The object, as messages call it: "the plan".
   */
  constructor(what: string) {
    this.#what = what;
  }

  /**
   * Runs `task` after all tasks queued before it.
   *
   * @throws {SottoError} E_BUSY if the object was disposed of.
   */
  async queue<T>(task: () => Promise<T>): Promise<T> {
    this.refuseDisposed();
    this.#taken++;
    const turn = this.#last.then(task, task);
    this.#last = turn;
    try {
      return await turn;
    } finally {
      this.#taken--;
    }
  }

  /**
   * Runs `task` now, or refuses.
   *
   * @throws {SottoError} E_BUSY if another task is running or the object was disposed of.
   */
  async now<T>(task: () => Promise<T>): Promise<T> {
    this.refuseDisposed();
    this.#refuseTaken("use");
    this.#taken++;
    try {
      return await task();
    } finally {
      this.#taken--;
    }
  }

  /**
   * Ends the object's life; doing so twice is harmless.
   *
   * @throws {SottoError} E_BUSY while a task is running.
   */
  dispose(): void {
    this.#refuseTaken("dispose of");
    this.#disposed = true;
  }

  /**
   * Lets through only while the object lives.
   *
   * @throws {SottoError} E_BUSY if it was disposed of.
   */
  refuseDisposed(): void {
    if (this.#disposed) throw new SottoError("E_BUSY", `Cannot use ${this.#what}: it was disposed of`);
  }

  #refuseTaken(action: string): void {
    if (this.#taken > 0) {
      throw new SottoError("E_BUSY", `Cannot ${action} ${this.#what}: another call is running on it`, {
        hint: "Await the call before.",
      });
    }
  }
}

/**
 * A few things of a kind that do one job at a time each, made when they are first needed.
 *
 * @module
 */

import { CallLimit } from "../../ffi/call_limit.ts";

/** A pool. */
export class LanePool<T extends Disposable> implements Disposable {
  readonly #make: () => Promise<T>;
  readonly #turns: CallLimit;
  readonly #idle: T[] = [];
  readonly #jobs = new Set<Promise<unknown>>();
  #isClosed = false;

  /** @param size Most of them. */
  constructor(size: number, make: () => Promise<T>) {
    this.#make = make;
    this.#turns = new CallLimit(size);
  }

  /** Does a job with one that is idle; waits while there is none. */
  async use<R>(job: (item: T) => Promise<R>): Promise<R> {
    const running = this.#turns.run(async () => {
      const item = this.#idle.pop() ?? await this.#make();
      try {
        return await job(item);
      } finally {
        if (this.#isClosed) item[Symbol.dispose]();
        else this.#idle.push(item);
      }
    });
    this.#jobs.add(running);
    try {
      return await running;
    } finally {
      this.#jobs.delete(running);
    }
  }

  /** Frees all of them; those at work when their job ends. */
  async close(): Promise<void> {
    this[Symbol.dispose]();
    await Promise.allSettled(this.#jobs);
  }

  /** Frees those that are idle, and each of the others when its job ends. */
  [Symbol.dispose](): void {
    this.#isClosed = true;
    for (const item of this.#idle.splice(0)) item[Symbol.dispose]();
  }
}

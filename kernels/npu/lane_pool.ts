/**
 * Things that do one job at a time each, of several sizes, kept for the next job of their size.
 *
 * @module
 */

/** A pool. */
export class LanePool<T extends AsyncDisposable> {
  readonly #make: (size: number) => Promise<T>;
  readonly #idle: { readonly size: number; readonly item: T }[] = [];
  readonly #jobs = new Set<Promise<unknown>>();
  #isClosed = false;

  /** @param make Makes one of a size. */
  constructor(make: (size: number) => Promise<T>) {
    this.#make = make;
  }

  /** Does a job with an idle one of that size; where there is none, with a new one in place of the idle others. */
  async use<R>(size: number, job: (item: T) => Promise<R>): Promise<R> {
    const running = this.#use(size, job);
    this.#jobs.add(running);
    try {
      return await running;
    } finally {
      this.#jobs.delete(running);
    }
  }

  async #use<R>(size: number, job: (item: T) => Promise<R>): Promise<R> {
    const found = this.#idle.findIndex((idle) => idle.size === size);
    if (found < 0) await this.#freeIdle(); // their memory is wanted
    const item = found < 0 ? await this.#make(size) : this.#idle.splice(found, 1)[0].item;
    try {
      return await job(item);
    } finally {
      this.#idle.push({ size, item });
      if (this.#isClosed) await this.#freeIdle();
    }
  }

  async #freeIdle(): Promise<void> {
    await Promise.all(this.#idle.splice(0).map(({ item }) => item[Symbol.asyncDispose]()));
  }

  /** Frees all of them; those at work when their job ends. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#freeIdle();
    await Promise.allSettled(this.#jobs);
  }
}

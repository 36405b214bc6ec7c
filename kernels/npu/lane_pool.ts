/**
 * Things that do one job at a time each, of several sizes, kept for the next job of their size.
 *
 * @module
 */

/** A pool. */
export class LanePool<T extends Disposable> implements Disposable {
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
    if (found < 0) this.#freeIdle(); // their memory is wanted
    const item = found < 0 ? await this.#make(size) : this.#idle.splice(found, 1)[0].item;
    try {
      return await job(item);
    } finally {
      if (this.#isClosed) item[Symbol.dispose]();
      else this.#idle.push({ size, item });
    }
  }

  #freeIdle(): void {
    for (const { item } of this.#idle.splice(0)) item[Symbol.dispose]();
  }

  /** Frees all of them; those at work when their job ends. */
  async close(): Promise<void> {
    this[Symbol.dispose]();
    await Promise.allSettled(this.#jobs);
  }

  /** Frees those that are idle, and each of the others when its job ends. */
  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#freeIdle();
  }
}

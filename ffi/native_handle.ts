/**
 * An object on the native side, owned by one on this side.
 *
 * @module
 */

import { SottoError } from "../errors.ts";
import { CallLimit } from "./call_limit.ts";
import { checkAsync, type ErrorText } from "./native_call.ts";
import { nativeError, type StatusMeaning } from "./native_error.ts";

/** Frees the native object behind a handle. */
export type Destroy = (handle: bigint) => void;

/** One limit for the process: the thread pool behind nonblocking calls is the process's. */
let calls: CallLimit | undefined;

/** Frees what was dropped without being disposed of. A net for leaks, not a promise: it does not run at exit. */
const leaked = new FinalizationRegistry<{ destroy: Destroy; handle: bigint }>(({ destroy, handle }) =>
  destroy(handle)
);

/** A handle that is freed once, and neither used afterwards nor freed during a call. */
export class NativeHandle implements Disposable, AsyncDisposable {
  readonly #what: string;
  readonly #destroy: Destroy;
  #handle: bigint | null;
  readonly #running = new Set<Promise<unknown>>();
  readonly #turns: CallLimit;
  readonly #meaning: StatusMeaning;

  /**
   * @param what For messages: `encoder plan`.
   * @param handle As the library gave it.
   * @param destroy Frees it.
   * @param atOnce How many calls it takes at a time; the others queue.
   * @param meaning Of the library's statuses; default libsotto_cpu's.
   */
  constructor(
    what: string,
    handle: bigint,
    destroy: Destroy,
    atOnce: number = Infinity,
    meaning: StatusMeaning = nativeError,
  ) {
    this.#what = what;
    this.#handle = handle;
    this.#destroy = destroy;
    this.#turns = new CallLimit(atOnce);
    this.#meaning = meaning;
    leaked.register(this, { destroy, handle }, this);
  }

  /**
   * The native handle.
   *
   * @throws {SottoError} E_BUSY if it was disposed of.
   */
  get handle(): bigint {
    if (this.#handle === null) {
      throw new SottoError("E_BUSY", `Cannot use the ${this.#what}: it was disposed of`, {
        hint: "Keep it until the last call has returned.",
      });
    }
    return this.#handle;
  }

  /**
   * Makes a nonblocking call on this object, when it is its turn and fewer calls than cores are in flight.
   *
   * @param signal Ends the waiting; a call that has begun has to be told otherwise.
   * @throws {SottoError} What the status means; E_BUSY if the object was disposed of.
   */
  protected async call(
    symbol: string,
    invoke: (handle: bigint, error: ErrorText) => Promise<number>,
    signal?: AbortSignal,
  ): Promise<void> {
    const handle = this.handle;
    calls ??= new CallLimit(navigator.hardwareConcurrency);
    const all = calls;
    const task = () => checkAsync(symbol, (error) => invoke(handle, error), this.#meaning);
    await this.#watch(this.#turns.run(() => all.run(task, signal), signal));
  }

  /**
   * Makes a nonblocking call that waits for another device: it needs no core, and does not count as a call in flight.
   *
   * @throws {SottoError} What the status means; E_BUSY if the object was disposed of.
   */
  protected async waiting(
    symbol: string,
    invoke: (handle: bigint, error: ErrorText) => Promise<number>,
  ): Promise<void> {
    const handle = this.handle;
    await this.#watch(checkAsync(symbol, (error) => invoke(handle, error), this.#meaning));
  }

  /**
   * Makes one nonblocking call on several objects, when it is the turn of each.
   *
   * @param signal Ends the waiting; a call that has begun has to be told otherwise.
   * @throws {SottoError} What the status means; E_BUSY if one of them was disposed of.
   */
  protected static async callTogether(
    objects: readonly NativeHandle[],
    symbol: string,
    invoke: (handles: BigUint64Array<ArrayBuffer>, error: ErrorText) => Promise<number>,
    signal?: AbortSignal,
  ): Promise<void> {
    const handles = BigUint64Array.from(objects, ({ handle }) => handle);
    calls ??= new CallLimit(navigator.hardwareConcurrency);
    const all = calls;
    let task = () => all.run(() => checkAsync(symbol, (error) => invoke(handles, error)), signal);
    // In one order for all callers, or two of them might wait for each other.
    const inOrder = objects.toSorted((a, b) => a.handle > b.handle ? -1 : 1);
    for (const object of inOrder) {
      const inner = task;
      task = () => object.#turns.run(inner, signal);
    }
    const running = task();
    await Promise.all(objects.map((object) => object.#watch(running))); // also those whose turn has not come
  }

  async #watch(running: Promise<void>): Promise<void> {
    this.#running.add(running);
    try {
      await running;
    } finally {
      this.#running.delete(running);
    }
  }

  /**
   * Frees the object.
   *
   * @throws {SottoError} E_BUSY during a call.
   */
  [Symbol.dispose](): void {
    if (this.#handle === null) return;
    if (this.#running.size > 0) {
      throw new SottoError("E_BUSY", `Cannot dispose of the ${this.#what}: a call is running on it`, {
        hint: "Await the call first, or use `await using`.",
      });
    }
    leaked.unregister(this);
    this.#destroy(this.#handle);
    this.#handle = null;
  }

  /** Frees the object after the calls that are running on it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#running);
    this[Symbol.dispose]();
  }
}

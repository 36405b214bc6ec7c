/**
 * Windows that wait for the NPU, taken in groups: a group is one larger product, so that its launches serve all of it.
 *
 * @module
 */

import { aborted, throwIfAborted } from "../../abort.ts";
import type { RunOptions } from "../device.ts";

/** A window that was asked for. */
export interface WaitingWindow {
  /** F32, the plan's input. */
  readonly input: Float32Array<ArrayBuffer>;
  /** How. */
  readonly options: RunOptions;
  /** Told of its result. */
  readonly done: PromiseWithResolvers<Float32Array<ArrayBuffer>>;
}

/**
 * Does a group, and answers with what became of each; what it throws became of all.
 *
 * @param signal Aborted when nobody waits for any of them any more.
 */
export type GroupWork = (
  windows: readonly WaitingWindow[],
  signal: AbortSignal,
) => Promise<PromiseSettledResult<Float32Array<ArrayBuffer>>[]>;

/** How windows are grouped. */
export interface Grouping {
  /** Groups at a time. */
  readonly groups: number;
  /** Windows of a group at most. */
  readonly most: number;
}

/** A queue of windows. */
export class WindowQueue {
  readonly #grouping: Grouping;
  readonly #work: GroupWork;
  readonly #waiting: WaitingWindow[] = [];
  readonly #running = new Set<Promise<unknown>>();

  /** @param work Does a group. */
  constructor(grouping: Grouping, work: GroupWork) {
    this.#grouping = grouping;
    this.#work = work;
  }

  /** Whether windows are being done, or wait. */
  get isBusy(): boolean {
    return this.#running.size + this.#waiting.length > 0;
  }

  /**
   * Does a window, with others that are asked for until it is its turn.
   *
   * @throws {SottoError} E_ABORTED.
   */
  async add(input: Float32Array<ArrayBuffer>, options: RunOptions): Promise<Float32Array<ArrayBuffer>> {
    throwIfAborted(options.signal);
    const window: WaitingWindow = { input, options, done: Promise.withResolvers() };
    this.#waiting.push(window);
    const leave = () => {
      const place = this.#waiting.indexOf(window);
      if (place < 0) return; // its group watches the signal
      this.#waiting.splice(place, 1);
      window.done.reject(aborted(options.signal));
    };
    options.signal?.addEventListener("abort", leave, { once: true });
    queueMicrotask(() => this.#start()); // whoever asks for several at once has asked for all of them by then
    try {
      return await window.done.promise;
    } finally {
      options.signal?.removeEventListener("abort", leave);
    }
  }

  /** Waits until nothing runs or waits. */
  async idle(): Promise<void> {
    while (this.isBusy) await Promise.allSettled([...this.#running, Promise.resolve()]);
  }

  /** Shares out those that wait among the groups that may begin now. */
  #start(): void {
    const { groups, most } = this.#grouping;
    while (this.#running.size < groups && this.#waiting.length > 0) {
      const share = Math.ceil(this.#waiting.length / (groups - this.#running.size));
      const windows = this.#waiting.splice(0, Math.min(share, most));
      const running = this.#run(windows);
      this.#running.add(running);
      running.then((results) => {
        this.#running.delete(running); // before they are told: they may dispose of what they ran on
        results.forEach((result, i) =>
          result.status === "fulfilled"
            ? windows[i].done.resolve(result.value)
            : windows[i].done.reject(result.reason)
        );
        this.#start();
      });
    }
  }

  async #run(windows: readonly WaitingWindow[]): ReturnType<GroupWork> {
    const stop = new AbortController();
    const listening = new AbortController();
    for (const { options: { signal }, done } of windows) {
      signal?.addEventListener("abort", () => {
        // The last one's end is the group's: nothing runs any more when it is told.
        if (windows.every(({ options }) => options.signal?.aborted)) stop.abort(signal.reason);
        else done.reject(aborted(signal));
      }, { signal: listening.signal });
    }
    try {
      return await this.#work(windows, stop.signal);
    } catch (reason) {
      return windows.map(() => ({ status: "rejected", reason }));
    } finally {
      listening.abort();
    }
  }
}

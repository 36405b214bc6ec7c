/**
 * Windows that the CPU device does because the NPU failed.
 *
 * @module
 */

import type { LoadedPlan } from "../device.ts";
import type { WaitingWindow } from "./window_queue.ts";

/** Windows that the CPU has begun. */
export interface Rescue {
  /** Their results, in order. */
  readonly results: readonly Promise<Float32Array<ArrayBuffer>>[];
  /** Ends them, soon: the NPU made it after all. */
  cancel(): Promise<void>;
}

/** The plan on the CPU device, loaded when it is first needed. */
export class CpuRescue implements Disposable {
  readonly #load: () => Promise<LoadedPlan>;
  #plan: Promise<LoadedPlan> | null = null;
  #users = 0;

  /** @param load Loads the plan on the CPU device. */
  constructor(load: () => Promise<LoadedPlan>) {
    this.#load = load;
  }

  /** Begins windows at once. */
  begin(windows: readonly WaitingWindow[]): Rescue {
    this.#users++;
    const cancelled = new AbortController();
    const plan = this.#plan ??= this.#load();
    const results = windows.map(async ({ input, options }) => {
      const signal = options.signal ? AbortSignal.any([options.signal, cancelled.signal]) : cancelled.signal;
      return await (await plan).run(input, { signal });
    });
    const over = Promise.allSettled(results); // whoever takes the results is told of failures
    return {
      results,
      cancel: async () => {
        cancelled.abort();
        await over;
        if (--this.#users === 0) this[Symbol.dispose]();
      },
    };
  }

  /** Frees the plan. Not to be called while windows are being done. */
  [Symbol.dispose](): void {
    this.#plan?.then((plan) => plan[Symbol.dispose](), () => {});
    this.#plan = null;
  }
}

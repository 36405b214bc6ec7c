/**
 * What a transcription reports of itself: where it ran, in which arithmetic, and how long each stage took.
 *
 * @module
 */

import type { Warning } from "./errors.ts";
import type { DeviceName } from "./kernels/device.ts";
import type { NpuUsage } from "./kernels/npu/statistics.ts";

/** The arithmetic of each kind of operation. */
export interface RunArithmetic {
  /** Such as `f32 (avx512)`. */
  readonly encoder: string;
  /** Such as `f16 weights, f32 sums (avx512)`. */
  readonly decoder: string;
}

/** Seconds of a run; those of the stages add up to `total`. */
export interface RunSeconds {
  /** Length of the recording. */
  readonly audio: number;
  /** From the call to the result, without the time the caller took between segments. */
  readonly total: number;
  /** Reading and decoding the recording, and its log-mel. */
  readonly mel: number;
  /** Log-mel to features. */
  readonly encoder: number;
  /** Tokens, rules and text. */
  readonly decoder: number;
}

/** Plain data about a run. */
export interface RunReport {
  /** The device that ran. */
  readonly device: DeviceName;
  /** Such as `AMD EPYC, avx512, 2 threads`. */
  readonly description: string;
  /** What the products were computed in. */
  readonly arithmetic: RunArithmetic;
  /** Where the time went. */
  readonly seconds: RunSeconds;
  /** Seconds of recording for each second of work. */
  readonly realTimeFactor: number;
  /** Windows of up to 30 s that were encoded. */
  readonly windows: number;
  /** False if it was stopped before the recording's end. */
  readonly isComplete: boolean;
  /** What an NPU was used for; absent where none was. */
  readonly npu?: NpuUsage;
  /** What was told to `onWarning` while the model was loaded and on the way. */
  readonly warnings: readonly Warning[];
}

/** Adds up the time of stages; where a stage runs more than once at a time, the time passes once. */
export class StageClock {
  readonly #seconds = new Map<string, number>();
  readonly #running = new Map<string, { count: number; since: number }>();

  /** Runs `work` and counts its time to `stage`. */
  async time<T>(stage: string, work: () => Promise<T>): Promise<T> {
    const running = this.#running.get(stage) ?? { count: 0, since: 0 };
    this.#running.set(stage, running);
    if (running.count++ === 0) running.since = performance.now();
    try {
      return await work();
    } finally {
      if (--running.count === 0) {
        this.#seconds.set(stage, this.seconds(stage) + (performance.now() - running.since) / 1000);
      }
    }
  }

  /** Seconds counted to a stage so far. */
  seconds(stage: string): number {
    return this.#seconds.get(stage) ?? 0;
  }
}

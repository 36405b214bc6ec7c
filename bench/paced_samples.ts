/**
 * Samples at the pace of their reader: for live input without a clock.
 *
 * @module
 */

import { SAMPLE_RATE } from "../mel/mod.ts";

/** Seconds after which live input is read again, unless said otherwise. */
const INTERVAL = 0.5;

/** A source that says when it may go on. */
export interface PacedSamples extends AsyncIterable<Float32Array> {
  /** To be called after each update. */
  answered(): void;
}

/**
 * Hands out what one reading takes in, and the next once that was answered: as if reading took no time.
 *
 * @param chunk Seconds that come at once.
 * @param interval Seconds that a reading waits for.
 */
export function paced(samples: Float32Array, chunk: number, interval: number = INTERVAL): PacedSamples {
  const step = Math.round(chunk * SAMPLE_RATE);
  const wanted = Math.round(interval * SAMPLE_RATE);
  let gate = Promise.withResolvers<void>();
  return {
    answered: () => gate.resolve(),
    async *[Symbol.asyncIterator](): AsyncGenerator<Float32Array> {
      let given = 0;
      for (let at = 0; at < samples.length; at += step) {
        yield samples.subarray(at, at + step);
        given += step;
        // What remains may be less than is waited for: the end has to come by itself.
        if (given < wanted || at + step + wanted >= samples.length) continue;
        await gate.promise;
        gate = Promise.withResolvers();
        given -= wanted;
      }
    },
  };
}

/**
 * Progress as an async iterator, for those who would rather loop than be called back.
 *
 * @module
 */

import type { Progress, Segment } from "./decoder/mod.ts";
import type { Transcript, TranscriptionOptions } from "./transcribe.ts";

/** How far a transcription is, and what is new. */
export interface TranscriptionProgress extends Progress {
  /** Share of the recording that is done, 0…1. */
  readonly fraction: number;
  /** Segments written since the last time; may be none. */
  readonly segments: readonly Segment[];
}

/**
 * Turns segments and the callback beside them into one iterator: one value after each window, the transcript as the
 * return value. Leaving the loop ends the transcription.
 *
 * @param start Starts the transcription with the options it is given.
 */
export async function* transcriptionProgress(
  start: (options: TranscriptionOptions) => AsyncGenerator<Segment, Transcript>,
  options: TranscriptionOptions,
): AsyncGenerator<TranscriptionProgress, Transcript> {
  const leaving = new AbortController();
  const signals = [leaving.signal, ...(options.signal === undefined ? [] : [options.signal])];
  const done: TranscriptionProgress[] = [];
  let segments: Segment[] = [];
  let wake = (): void => {};
  const work = start({
    ...options,
    signal: AbortSignal.any(signals),
    onProgress: (progress) => {
      const { framesDone, framesTotal } = progress;
      const fraction = framesTotal === 0 ? 1 : framesDone / framesTotal;
      done.push({ framesDone, framesTotal, fraction, segments });
      segments = [];
      options.onProgress?.(progress);
      wake();
    },
  });
  const read = (async () => {
    let step = await work.next();
    for (; !step.done; step = await work.next()) segments.push(step.value);
    return step.value;
  })();
  const ended = read.then(() => true, () => true);
  try {
    for (let isOver = false; !isOver;) {
      const told = new Promise<boolean>((resolve) => wake = () => resolve(false));
      if (done.length === 0) isOver = await Promise.race([told, ended]);
      while (done.length > 0) yield done.shift()!;
    }
    return await read;
  } finally {
    leaving.abort();
    await ended;
  }
}

/**
 * Times tasks. Noise on a machine only ever adds time, so the least of several rounds is the measure, and the median
 * says how noisy it was.
 *
 * @module
 */

/** Seconds that a task took. */
export interface Timing {
  readonly min: number;
  readonly median: number;
}

/** The least and the median of some times. */
export function timingOf(seconds: readonly number[]): Timing {
  const sorted = seconds.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  return { min: sorted[0], median };
}

/** Milliseconds between tasks: longer than idle threads of a pool keep spinning, which would slow down the next task. */
const PAUSE_MS = 20;

/**
 * Times tasks in turns, so that whatever else the machine does falls on all of them; each runs once before it counts.
 *
 * @param rounds How often each counts.
 */
export async function timeInTurns(
  tasks: readonly (() => Promise<unknown>)[],
  rounds: number,
): Promise<Timing[]> {
  const seconds: number[][] = tasks.map(() => []);
  for (let round = -1; round < rounds; round++) {
    for (const [i, task] of tasks.entries()) {
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      const begun = performance.now();
      await task();
      if (round >= 0) seconds[i].push((performance.now() - begun) / 1000);
    }
  }
  return seconds.map(timingOf);
}

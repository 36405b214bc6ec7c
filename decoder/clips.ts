/**
 * Which parts of a recording are transcribed.
 *
 * @module
 */

/** Frames (10 ms) from `start` up to, not including, `end`; null: to the recording's end. */
export interface Clip {
  readonly start: number;
  readonly end: number | null;
}

/** Mel frames a second. */
const FRAMES_PER_SECOND = 100;

/** Seconds of a `clipTimestamps` option, as a list; null if it is not one. */
export function clipSeconds(given: unknown): number[] | null {
  const seconds = typeof given === "string"
    ? given.split(",").filter((part) => part.trim() !== "").map(Number)
    : given;
  if (!Array.isArray(seconds)) return null;
  // Windows are read in order, each frame once.
  const isOrdered = seconds.every((value, i) =>
    typeof value === "number" && value >= 0 && value < Infinity && (i === 0 || value >= seconds[i - 1])
  );
  return isOrdered ? seconds : null;
}

/** The clips between start, end, start, end …; without the last end, to the recording's end. */
export function clipsBetween(seconds: readonly number[]): Clip[] {
  const frames = (seconds.length === 0 ? [0] : seconds).map((value) => Math.round(value * FRAMES_PER_SECOND));
  return frames.flatMap((start, i) => i % 2 === 0 ? [{ start, end: frames.at(i + 1) ?? null }] : []);
}

/** Where a window begins, and how many frames are left for it. */
export interface WindowPlace {
  readonly seek: number;
  readonly room: number;
}

/** The place of the next window at frame `seek` or behind it; null where nothing is left. */
export function nextPlace(clips: readonly Clip[], seek: number, contentFrames: number): WindowPlace | null {
  for (const clip of clips) {
    const start = Math.max(seek, clip.start);
    const end = Math.min(clip.end ?? contentFrames, contentFrames);
    if (start < end) return { seek: start, room: end - start };
  }
  return null;
}

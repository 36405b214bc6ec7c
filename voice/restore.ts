/**
 * Segments of speech put end to end → the same in the times of the recording.
 *
 * @module
 */

import type { Segment } from "../decoder/mod.ts";
import type { Timeline } from "./timeline.ts";

/** The segment with all of its times in the recording, the words' included. */
export function restoreTimes(segment: Segment, timeline: Timeline): Segment {
  const seek = timeline.frame(segment.seek);
  const words = segment.words?.map((word) => ({ ...word, ...timeline.wordTimes(word) }));
  const { start, end } = timeline.times(segment);
  if (words === undefined) return { ...segment, seek, start, end };
  const first = words.at(0)?.start ?? start;
  return { ...segment, seek, start: first, end: words.at(-1)?.end ?? end, words };
}

/**
 * What holds for the times of any transcript with words.
 */

import assert from "node:assert/strict";
import type { Segment } from "../../decoder/mod.ts";

/** Fails unless each word, and each segment, ends after it begins and begins after the one before ends. */
export function assertInOrder(segments: readonly Segment[]): void {
  let last = 0;
  let lastSegment = 0;
  for (const { id, start, end, words } of segments) {
    assert(
      start >= lastSegment && end >= start,
      `times of segment ${id}: ${start}…${end} after ${lastSegment}`,
    );
    lastSegment = end;
    for (const word of words!) {
      assert(
        word.start >= last && word.end >= word.start,
        `times of "${word.word}" in ${id}: ${word.start}…${word.end} after ${last}`,
      );
      last = word.end;
    }
  }
}

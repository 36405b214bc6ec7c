/**
 * A recording cut at pauses into windows, none longer than the encoder takes.
 *
 * @module
 */

import { N_FRAMES } from "../mel/mod.ts";
import { quietest, type Span } from "./spans.ts";

/** Cuts are looked for in the last sixth of what a window takes: earlier ones would make more windows. */
const EARLIEST_CUT = Math.round(N_FRAMES * 5 / 6);

/**
 * Cuts all of a recording, nothing left out, where speech is least likely.
 *
 * @param probabilities Of speech, a frame each, 0…255.
 */
export function cutAtPauses(probabilities: Uint8Array): Span[] {
  const cuts: Span[] = [];
  const { length: frames } = probabilities;
  let start = 0;
  while (frames - start > N_FRAMES) {
    const end = quietest(probabilities, start + EARLIEST_CUT, start + N_FRAMES);
    cuts.push({ start, end });
    start = end;
  }
  if (start < frames) cuts.push({ start, end: frames });
  return cuts;
}

/**
 * Packs stretches of speech, put end to end, into windows: as many in each as it takes.
 *
 * @param spans Of at most 3000 frames each, in order.
 * @returns Windows in frames of what is kept.
 */
export function packSpans(spans: readonly Span[]): Span[] {
  const cuts: Span[] = [];
  let start = 0;
  let end = 0;
  for (const span of spans) {
    const frames = span.end - span.start;
    if (end > start && end - start + frames > N_FRAMES) {
      cuts.push({ start, end });
      start = end;
    }
    end += frames;
  }
  if (end > start) cuts.push({ start, end });
  return cuts;
}

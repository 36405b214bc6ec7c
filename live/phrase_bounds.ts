/**
 * Where the phrase begins and ends that a stretch of audio starts with.
 *
 * @module
 */

import { resolveVadParameters, type Span, speechSpans, VAD_DEFAULTS } from "../voice/mod.ts";

/** A phrase among what is held, in frames of 10 ms. */
export interface PhraseBounds extends Span {
  /** Where further speech begins; null if there is none yet. */
  readonly next: number | null;
}

/** Likely speech among bytes of 0…255. */
const LIKELY = VAD_DEFAULTS.threshold * 255;

/**
 * The first phrase: speech without a pause of `pause` frames in it; null if nobody speaks.
 *
 * Sounds that are too short to be speech belong to a phrase that is nearer than a pause: they may be a short word, or the
 * beginning of a word of which the rest has not come yet.
 *
 * @param probabilities Of speech, a frame each, 0…255.
 */
export function firstPhrase(probabilities: Uint8Array, pause: number): PhraseBounds | null {
  const parameters = resolveVadParameters({ minSilenceDurationMs: pause * 10, speechPadMs: 0 });
  const [span, ...others] = speechSpans(probabilities, parameters);
  if (span === undefined) return null;
  const start = reach(probabilities, span.start, -1, pause);
  const end = reach(probabilities, span.end - 1, 1, pause) + 1;
  const further = others.find(({ end: until }) => until > end);
  return { start, end, next: further ? Math.max(end, reach(probabilities, further.start, -1, pause)) : null };
}

/** The last frame of likely speech from `frame` on in a direction, with less than a pause between any two. */
function reach(probabilities: Uint8Array, frame: number, step: 1 | -1, pause: number): number {
  let last = frame;
  for (
    let at = frame + step;
    at >= 0 && at < probabilities.length && Math.abs(at - last) <= pause;
    at += step
  ) {
    if (probabilities[at] >= LIKELY) last = at;
  }
  return last;
}

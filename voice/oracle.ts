/**
 * Which windows of a recording hold speech, for those who ask for no more.
 *
 * @module
 */

import { VAD_DEFAULTS } from "./options.ts";
import { type Span, speechSpans } from "./spans.ts";

/** A window counts as speech if it holds this much of it, in frames: half a second. */
const LEAST_SPEECH = 50;

/** Tells windows with speech from windows without. */
export function speechOracle(probabilities: Uint8Array): (seek: number, frames: number) => boolean {
  const spans = speechSpans(probabilities, { ...VAD_DEFAULTS, minSilenceDurationMs: 100, speechPadMs: 0 });
  return (seek, frames) => {
    const end = seek + frames;
    const inside = ({ start, end: until }: Span) => Math.max(0, Math.min(until, end) - Math.max(start, seek));
    return spans.reduce((sum, span) => sum + inside(span), 0) >= LEAST_SPEECH;
  };
}

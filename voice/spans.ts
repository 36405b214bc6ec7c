/**
 * Probabilities of speech → stretches of speech: hysteresis, shortest speech and silence, padding.
 *
 * @module
 */

import type { ResolvedVadParameters } from "./options.ts";

/** Frames (10 ms) from `start` up to, not including, `end`. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Frames in a second and in a millisecond. */
const FRAMES_PER_SECOND = 100;
const FRAMES_PER_MS = FRAMES_PER_SECOND / 1000;
/** Within a sentence nothing may stand out for so long, in noise that hides all but the vowels: 300 ms. */
const LONGEST_STOP = 30;

/** A probability of 1 among bytes. */
const CERTAIN = 255;

/**
 * The stretches in which somebody speaks, in order.
 *
 * @param probabilities Of speech, a frame each, 0…255, as a `SpeechDetector` gives them.
 */
export function speechSpans(probabilities: Uint8Array, parameters: ResolvedVadParameters): Span[] {
  const pause = Math.max(1, parameters.minSilenceDurationMs * FRAMES_PER_MS);
  const runs = activeSpans(probabilities, parameters, Math.min(pause, LONGEST_STOP));
  const longest = Math.max(1, Math.round(parameters.maxSpeechDurationS * FRAMES_PER_SECOND));
  const shortest = parameters.minSpeechDurationMs * FRAMES_PER_MS;
  // What is too short goes before the rest is joined, or clicks in a row would make speech.
  const kept = join(runs.filter(({ start, end }) => end - start >= shortest), pause);
  const padded = pad(kept, probabilities.length, Math.round(parameters.speechPadMs * FRAMES_PER_MS));
  return padded.flatMap((span) => cutLong(span, probabilities, longest));
}

/** From the first likely frame to where it stays unlikely for long enough. */
function activeSpans(
  probabilities: Uint8Array,
  parameters: ResolvedVadParameters,
  pause: number,
): Span[] {
  const threshold = parameters.threshold * CERTAIN;
  const negThreshold = parameters.negThreshold * CERTAIN;
  const spans: Span[] = [];
  let start = -1;
  let silentSince = -1;
  for (let frame = 0; frame < probabilities.length; frame++) {
    const probability = probabilities[frame];
    if (probability >= threshold) {
      if (start < 0) start = frame;
      silentSince = -1;
    } else if (start >= 0 && probability < negThreshold) {
      if (silentSince < 0) silentSince = frame;
      if (frame + 1 - silentSince >= pause) {
        spans.push({ start, end: silentSince });
        start = silentSince = -1;
      }
    }
  }
  // Silence behind the last word counts as silence however short it is.
  if (start >= 0) spans.push({ start, end: silentSince < 0 ? probabilities.length : silentSince });
  return spans;
}

/** Joins what lies less than `pause` frames apart. */
function join(spans: readonly Span[], pause: number): Span[] {
  const joined: Span[] = [];
  for (const span of spans) {
    const last = joined.at(-1);
    if (last && span.start - last.end < pause) {
      joined[joined.length - 1] = { start: last.start, end: span.end };
    } else joined.push(span);
  }
  return joined;
}

/** Adds `padding` frames on both sides; of a pause that is too short for both, each side takes half. */
function pad(spans: readonly Span[], frames: number, padding: number): Span[] {
  const padded = spans.map(({ start, end }, i) => {
    const before = i === 0 ? start : Math.floor((start - spans[i - 1].end) / 2);
    const behind = i + 1 === spans.length ? frames - end : Math.ceil((spans[i + 1].start - end) / 2);
    return { start: start - Math.min(padding, before), end: end + Math.min(padding, behind) };
  });
  return join(padded, 1);
}

/** Cuts speech that is too long where it is least likely to be speech, in the later half of what is allowed. */
function cutLong({ start, end }: Span, probabilities: Uint8Array, longest: number): Span[] {
  const spans: Span[] = [];
  while (end - start > longest) {
    const cut = quietest(probabilities, start + Math.max(1, Math.ceil(longest / 2)), start + longest);
    spans.push({ start, end: cut });
    start = cut;
  }
  spans.push({ start, end });
  return spans;
}

/** Half the frames that a cut is judged by: a pause counts, not a single quiet frame. */
const CUT_REACH = 8;

/** The frame of first…last (both included) around which speech is least likely; the later of equals. */
export function quietest(probabilities: Uint8Array, first: number, last: number): number {
  let best = last;
  let least = Infinity;
  for (let frame = first; frame <= last; frame++) {
    let sum = 0;
    for (let i = frame - CUT_REACH; i < frame + CUT_REACH; i++) sum += probabilities[i] ?? 0;
    if (sum <= least) {
      least = sum;
      best = frame;
    }
  }
  return best;
}

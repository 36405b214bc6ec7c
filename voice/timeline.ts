/**
 * Speech put end to end, and where each moment of it lies in the recording.
 *
 * @module
 */

import type { Span } from "./spans.ts";

/** Frames in a second. */
const FRAMES_PER_SECOND = 100;

/** A stretch of the recording, and where it begins among those put end to end. */
interface Piece extends Span {
  readonly at: number;
}

/** A time span in seconds. */
interface Times {
  readonly start: number;
  readonly end: number;
}

/** The stretches of a recording that are kept, end to end. Frames are 10 ms. */
export class Timeline {
  /** Frames that are kept. */
  readonly frames: number;
  readonly #pieces: readonly Piece[];

  readonly #margin: number;

  /**
   * @param spans In order, apart from or next to each other.
   * @param margin Frames at both ends of a span, next to a gap, in which nobody speaks.
   */
  constructor(spans: readonly Span[], margin = 0) {
    let at = 0;
    this.#margin = margin;
    this.#pieces = spans.map(({ start, end }) => {
      const piece = { start, end, at };
      at += end - start;
      return piece;
    });
    this.frames = at;
  }

  /** Where `count` kept frames from `from` on lie in the recording: stretches in order. */
  *locate(from: number, count: number): Generator<Span> {
    for (const { start, end, at } of this.#pieces) {
      const first = Math.max(from, at);
      const last = Math.min(from + count, at + end - start);
      if (first < last) yield { start: start + first - at, end: start + last - at };
    }
  }

  /** The frame of the recording that a kept frame is; behind the last one, the frame behind it. */
  frame(kept: number): number {
    const piece = this.#pieceAt(kept);
    return piece === undefined ? 0 : piece.start + Math.min(kept - piece.at, piece.end - piece.start);
  }

  /**
   * Times in the recording of a stretch of kept speech. One that begins or ends where two pieces meet, or in the
   * silence around that place, lies in the piece that it reaches into.
   */
  times({ start, end }: Times): Times {
    const from = this.#pieceAt(start * FRAMES_PER_SECOND);
    const to = this.#pieceAt(end * FRAMES_PER_SECOND, "before");
    if (from === undefined || to === undefined) return { start: 0, end: 0 };
    const next = this.#pieces[this.#pieces.indexOf(from) + 1];
    const before = this.#pieces[this.#pieces.indexOf(to) - 1];
    const startsBehind = next && next.start > from.end &&
      next.at - start * FRAMES_PER_SECOND < this.#margin &&
      end * FRAMES_PER_SECOND > next.at + this.#margin;
    const endsBefore = before && to.start > before.end && end * FRAMES_PER_SECOND - to.at < this.#margin &&
      start * FRAMES_PER_SECOND < to.at - this.#margin;
    const first = startsBehind ? timeIn(next, start) : timeIn(from, start);
    return { start: first, end: Math.max(first, endsBefore ? timeIn(before, end) : timeIn(to, end)) };
  }

  /** Times of a word: within the one piece that holds its middle, for nobody pauses within a word. */
  wordTimes({ start, end }: Times): Times {
    const piece = this.#pieceAt((start + end) / 2 * FRAMES_PER_SECOND);
    if (piece === undefined) return { start: 0, end: 0 };
    const first = timeIn(piece, start);
    return { start: first, end: Math.max(first, timeIn(piece, end)) };
  }

  /** The piece that holds a kept moment; where two meet, the later one, or the one before. */
  #pieceAt(frame: number, meeting: "behind" | "before" = "behind"): Piece | undefined {
    const tolerance = 1e-6; // frames: times are sums of hundredths
    const begun = meeting === "behind"
      ? ({ at }: Piece) => at <= frame + tolerance
      : ({ at }: Piece) => at < frame - tolerance;
    return this.#pieces.findLast(begun) ?? this.#pieces.at(0);
  }
}

/** A kept moment in the recording, moved into the piece, to the millisecond. */
function timeIn({ start, end, at }: Piece, seconds: number): number {
  const frame = Math.min(end, Math.max(start, seconds * FRAMES_PER_SECOND + start - at));
  return Math.round(frame * 1000 / FRAMES_PER_SECOND) / 1000;
}

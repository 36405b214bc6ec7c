/**
 * What the writers write.
 *
 * @module
 */

import type { Segment } from "../segments.ts";

/** A recording's text, whole and in segments; plain data. */
export interface TranscriptText {
  /** All of it, as the segments spell it. */
  readonly text: string;
  /** In order. */
  readonly segments: readonly Segment[];
  /** Code of the language; null where there was nothing to detect it from. */
  readonly language: string | null;
  /** Where it is known: how long the recording is, in seconds. */
  readonly run?: { readonly seconds: { readonly audio: number } };
}

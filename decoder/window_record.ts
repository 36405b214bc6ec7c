/**
 * What a window came to, as plain data: enough to go on behind it in another process.
 *
 * @module
 */

import type { LanguageDetection } from "./language.ts";
import type { Segment } from "./segments.ts";
import type { WordState } from "./words/mod.ts";

/** A window that is done. Safe for JSON. */
export interface WindowRecord {
  /** Frame at which the next window begins. */
  readonly nextSeek: number;
  /** What was written; may be none. */
  readonly segments: readonly Segment[];
  /** Whether the next window is shown none of the text so far. */
  readonly startsAfresh: boolean;
  /** Code of its language. */
  readonly language: string | null;
  /** What the summary will say was detected. */
  readonly detection: LanguageDetection | null;
  /** Where word times are wanted: how far they are. */
  readonly words: WordState | null;
}

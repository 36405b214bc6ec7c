/**
 * openai-whisper's options under our names.
 */

import type { SubtitleOptions, TranscribeOptions } from "../../decoder/mod.ts";

/** Options as openai-whisper names them. */
export type SnakeCaseOptions = Readonly<Record<string, unknown>>;

/** `word_timestamps` as `wordTimestamps`. */
export function camelCase(options: SnakeCaseOptions): TranscribeOptions & SubtitleOptions {
  const named = Object.entries(options).map(([name, value]) =>
    [name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase()), value] as const
  );
  return Object.fromEntries(named);
}

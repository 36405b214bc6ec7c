/**
 * A window whose text looks wrong is decoded again at a higher temperature.
 *
 * @module
 */

import { widthOf, type WindowDecoder, type WindowResult } from "./decode.ts";
import type { ResolvedDecodeOptions, ResolvedTranscribeOptions } from "./options.ts";
import type { Random } from "./random.ts";

/** What a text is judged by. */
export type Thresholds = Pick<
  ResolvedTranscribeOptions,
  "compressionRatioThreshold" | "logprobThreshold" | "noSpeechThreshold"
>;

/** What {@linkcode needsFallback} looks at. */
type Judged = Pick<WindowResult, "compressionRatio" | "avgLogprob" | "noSpeechProb">;

/**
 * Whether a text is too repetitive or too unlikely. Where nothing seems to be said, an unlikely text is no reason to
 * try again: the window will be skipped.
 */
export function needsFallback(result: Judged, thresholds: Thresholds): boolean {
  const { compressionRatioThreshold, logprobThreshold, noSpeechThreshold } = thresholds;
  const repetitive = compressionRatioThreshold !== null &&
    result.compressionRatio > compressionRatioThreshold;
  const unlikely = logprobThreshold !== null && result.avgLogprob < logprobThreshold;
  const silent = noSpeechThreshold !== null && result.noSpeechProb > noSpeechThreshold;
  return (repetitive || unlikely) && !(silent && unlikely);
}

/** Whether a window is to be skipped: no speech is likely, and the text is not likely in spite of it. */
export function isSilence(
  { noSpeechProb, avgLogprob }: Judged,
  { noSpeechThreshold, logprobThreshold }: Thresholds,
): boolean {
  if (noSpeechThreshold === null || !(noSpeechProb > noSpeechThreshold)) return false;
  return logprobThreshold === null || !(avgLogprob > logprobThreshold);
}

/** The most texts written side by side at any of the temperatures. */
export function widestOf(options: ResolvedTranscribeOptions): number {
  return Math.max(...options.temperatures.map((temperature) => widthOf({ ...options, temperature })));
}

/** Options of one window that the recording's do not hold. */
type WindowOptions = Pick<ResolvedDecodeOptions, "language" | "prompt">;

/**
 * Decodes the window at one temperature after the other until its text passes; where none does, the last one's
 * counts, as in openai-whisper.
 *
 * @throws {SottoError} E_ABORTED if the signal says so.
 */
export async function decodeWithFallback(
  decoder: Pick<WindowDecoder, "decode">,
  options: ResolvedTranscribeOptions & WindowOptions,
  controls: { readonly random: Random; readonly signal?: AbortSignal },
): Promise<WindowResult> {
  const { temperatures } = options;
  let result = await decoder.decode({ ...options, temperature: temperatures[0] }, controls);
  for (const temperature of temperatures.slice(1)) {
    if (!needsFallback(result, options)) break;
    result = await decoder.decode({ ...options, temperature }, controls);
  }
  return result;
}

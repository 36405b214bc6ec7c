/**
 * The language of a recording, by a vote of its first windows in which somebody speaks: a recording may begin with
 * music, or with a name in another language.
 *
 * @module
 */

import type { LanguageDetection } from "./language.ts";
import type { MelWindows } from "./long_form.ts";
import { FRAMES_PER_WINDOW } from "./segments.ts";

/** What the vote needs. */
export interface LanguageVote {
  /** Most windows that vote, at least 1. */
  readonly voters: number;
  /** A window that is surer than this decides alone. */
  readonly threshold: number;
  /** Detects the language of a window's log-mel. */
  readonly detect: (mel: Float32Array<ArrayBuffer>) => Promise<LanguageDetection>;
}

/**
 * Asks one window of 30 s after the other, those without speech left out; where none has speech, the first.
 *
 * @param windows Read from the start; not to be used afterwards.
 * @returns What the window said that was sure enough; else the language that most windows said (of equals the one
 * with the higher probability), and the mean of their probabilities.
 */
export async function voteOnLanguage(windows: MelWindows, vote: LanguageVote): Promise<LanguageDetection> {
  const { contentFrames } = windows;
  const ballots: LanguageDetection[] = [];
  let opening: Float32Array<ArrayBuffer> | null = null;
  for (let seek = 0; seek < contentFrames && ballots.length < vote.voters; seek += FRAMES_PER_WINDOW) {
    const frames = Math.min(FRAMES_PER_WINDOW, contentFrames - seek);
    const mel = seek === 0 && windows.openingWindow
      ? await windows.openingWindow()
      : await windows.window(seek, frames);
    opening ??= mel;
    if (await windows.holdsSpeech?.(seek, frames) === false) continue;
    const ballot = await vote.detect(mel);
    if (ballot.probabilities[ballot.language] > vote.threshold) return ballot;
    ballots.push(ballot);
  }
  return ballots.length > 0 ? count(ballots) : await vote.detect(opening!);
}

function count(ballots: readonly LanguageDetection[]): LanguageDetection {
  const codes = Object.keys(ballots[0].probabilities);
  const mean = (code: string) =>
    ballots.reduce((sum, { probabilities }) => sum + probabilities[code], 0) / ballots.length;
  const votes = (code: string) => ballots.filter(({ language }) => language === code).length;
  const [language] = codes.toSorted((a, b) => votes(b) - votes(a) || mean(b) - mean(a));
  return { language, probabilities: Object.fromEntries(codes.map((code) => [code, mean(code)])) };
}

/**
 * The last line of a transcription: device, arithmetic, times.
 *
 * @module
 */

import { LANGUAGES } from "../decoder/mod.ts";
import type { Transcript } from "../transcribe.ts";

/** What a transcript says of its run, in one line. */
export function reportLine({ run, language, languageProbabilities }: Transcript): string {
  const { seconds } = run;
  const stages = `log-mel ${time(seconds.mel)}, encoder ${time(seconds.encoder)}, decoder ${
    time(seconds.decoder)
  }`;
  const found = language === null ? [] : [titled(LANGUAGES[language] ?? language)];
  const chance = languageProbabilities?.[language ?? ""];
  if (chance !== undefined) found.push(`(${Math.round(100 * chance)} %)`);
  return [
    `${run.device}: ${run.description}`,
    `encoder ${run.arithmetic.encoder}, decoder ${run.arithmetic.decoder}`,
    ...(found.length > 0 ? [found.join(" ")] : []),
    `${time(seconds.audio)} of audio in ${time(seconds.total)}, ${
      factor(run.realTimeFactor)
    } × real time (${stages})`,
  ].join(" · ");
}

function titled(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}

function time(seconds: number): string {
  return seconds < 1 ? `${Math.round(1000 * seconds)} ms` : `${seconds.toFixed(1)} s`;
}

function factor(value: number): string {
  return value < 10 ? value.toFixed(1) : value.toFixed(0);
}

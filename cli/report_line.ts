/**
 * The last line of a transcription: device, arithmetic, times.
 *
 * @module
 */

import { LANGUAGES } from "../decoder/mod.ts";
import type { NpuUsage } from "../kernels/mod.ts";
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
    ...(run.npu ? [npuPart(run.npu)] : []),
    ...(found.length > 0 ? [found.join(" ")] : []),
    run.isComplete
      ? `${time(seconds.audio)} of audio in ${time(seconds.total)}, ${
        factor(run.realTimeFactor)
      } × real time (${stages})`
      : `stopped within ${time(seconds.audio)} of audio after ${time(seconds.total)} (${stages})`,
  ].join(" · ");
}

/** What the NPU did; a model's time is called so. */
function npuPart(npu: NpuUsage): string {
  const bytes = `${mebibytes(npu.bytesIn)} in, ${mebibytes(npu.bytesOut)} out`;
  const modelled = npu.modelled ? `, ${time(npu.modelledSeconds)} modelled` : "";
  const windows = `${npu.fallbacks} ${npu.fallbacks === 1 ? "window" : "windows"} finished on the CPU`;
  return `${npu.launches} NPU launches, ${bytes}${modelled}${npu.fallbacks > 0 ? `, ${windows}` : ""}`;
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(0)} MiB`;
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

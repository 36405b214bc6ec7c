/**
 * The log-mel spectrogram of 30 s.
 *
 * @module
 */

import type { Device } from "../kernels/device.ts";
import { logMel, padOrTrim } from "../mel/mod.ts";
import { relativeError } from "./relative_error.ts";
import type { Row } from "./report.ts";
import { timeInTurns } from "./timing.ts";

/** Goals. */
const MOST_SECONDS = 0.015;
const MOST_ERROR = 1e-4;

/**
 * Measures the log-mel of the first 30 s.
 *
 * @param golden What is right for it, or null where nobody knows.
 */
export async function melRows(
  device: Device,
  samples: Float32Array,
  golden: Float32Array | null,
  rounds: number,
): Promise<Row[]> {
  const window = padOrTrim(samples);
  const [time] = await timeInTurns([() => logMel(window, { device })], 4 * rounds);
  const error = golden ? relativeError((await logMel(window, { device })).data, golden) : undefined;
  return [{
    what: "log-mel, 30 s, 80 bands",
    time,
    error,
    verdicts: [
      { goal: `≤ ${1000 * MOST_SECONDS} ms`, met: time.min <= MOST_SECONDS },
      ...(error === undefined
        ? []
        : [{ goal: `≤ ${MOST_ERROR.toExponential(0)}`, met: error <= MOST_ERROR }]),
    ],
  }];
}

/**
 * The text decoder of Whisper base, F16: one step against the time to read its weights once from memory.
 *
 * @module
 */

import type { CpuDevice } from "../kernels/cpu/device.ts";
import { openPortableDevice } from "../kernels/portable/device.ts";
import type { Device } from "../kernels/device.ts";
import type { WeightStore } from "../model/weights.ts";
import { BASE_DECODER, bytesPerStep } from "./random_decoder.ts";
import type { Peaks } from "./peaks.ts";
import { relativeError } from "./relative_error.ts";
import type { Row } from "./report.ts";
import { timeInTurns, timingOf } from "./timing.ts";

/** Goals: a step takes at most this many times the reading of its weights; errors of F32 sums. */
const MOST_OF_READING = 2;
const MOST_ERROR = 1e-4;

/** Tokens a step is timed at: a sentence's worth of cache. */
const STEPS = 32;

const features = Float32Array.from(
  { length: BASE_DECODER.n_audio_ctx * BASE_DECODER.n_text_state },
  (_, i) => Math.sin(i * 0.7) + Math.cos(i * 0.013),
);

/** Measures a step and the preparation of a window. */
export async function decoderRows(
  device: CpuDevice,
  weights: WeightStore,
  options: { readonly rounds: number; readonly peaks: Peaks },
): Promise<Row[]> {
  using decoder = await device.loadDecoder(BASE_DECODER, weights);
  using session = decoder.open(1);
  const [window] = await timeInTurns([() => session.setFeatures(features)], options.rounds);

  const seconds: number[][] = Array.from({ length: STEPS }, () => []);
  for (let round = 0; round < options.rounds; round++) {
    await options.peaks.sample();
    for (let position = 0; position < STEPS; position++) {
      const begun = performance.now();
      await session.step(Int32Array.of(position), 1, position);
      seconds[position].push((performance.now() - begun) / 1000);
    }
  }
  // The cache grows with the position: the least of each, and the median of those.
  const step = {
    min: timingOf(seconds.map((times) => timingOf(times).min)).median,
    median: timingOf(seconds.flat()).median,
  };
  const bytes = bytesPerStep(BASE_DECODER);
  const ratio = step.min / (bytes / options.peaks.read);
  const expected = await logits(openPortableDevice(), weights);
  const error = relativeError(await logits(device, weights), expected);
  return [{
    what: "decoder step, base F16",
    time: step,
    rate: { value: bytes / step.min, unit: "B" },
    error,
    verdicts: [{ goal: `≤ ${MOST_ERROR.toExponential(0)}`, met: error <= MOST_ERROR }],
  }, {
    what: "  step over reading weights",
    verdicts: [{ goal: `${ratio.toFixed(2)} ≤ ${MOST_OF_READING} ×`, met: ratio <= MOST_OF_READING }],
  }, {
    what: "  a window's keys and values",
    time: window,
  }];
}

/** Logits after a few tokens. */
async function logits(device: Device, weights: WeightStore): Promise<Float32Array> {
  using decoder = await device.loadDecoder(BASE_DECODER, weights);
  using session = decoder.open(1);
  await session.setFeatures(features);
  return await session.step(Int32Array.of(50258, 50259, 50359, 50363), 1, 0);
}

/**
 * The text decoder of Whisper base, in F16 and INT8: one step against the time to read its weights once from memory.
 *
 * @module
 */

import type { CpuDevice } from "../kernels/cpu/device.ts";
import { openPortableDevice } from "../kernels/portable/device.ts";
import type { DecoderPrecision, Device } from "../kernels/device.ts";
import type { WeightStore } from "../model/weights.ts";
import { BASE_DECODER, bytesPerStep } from "./random_decoder.ts";
import type { Peaks } from "./peaks.ts";
import { relativeError } from "./relative_error.ts";
import type { Row } from "./report.ts";
import { timeInTurns, type Timing, timingOf } from "./timing.ts";

/**
 * Goals: a step takes at most so many times the reading of its weights, that of a beam so many times a single
 * one's; relative errors of the logits, of F32 sums and of INT8 weights that are random, the worst there are.
 */
const GOALS: Readonly<Record<DecoderPrecision, { readonly ofReading: number; readonly error: number }>> = {
  stored: { ofReading: 1.4, error: 1e-4 },
  int8: { ofReading: 1.5, error: 2e-2 },
};
const MOST_OF_SINGLE = 2;

/** Hypotheses that share one reading of the weights: openai-whisper's beam, which has a goal, and the most of a tile. */
const GOAL_BEAM = 5;
const BEAMS = [GOAL_BEAM, 8];

/** Windows that step together, each with keys and values of its own. */
const WINDOWS = 8;

/** Tokens a step is timed at: a sentence's worth of cache. */
const STEPS = 32;

const features = Float32Array.from(
  { length: BASE_DECODER.n_audio_ctx * BASE_DECODER.n_text_state },
  (_, i) => Math.sin(i * 0.7) + Math.cos(i * 0.013),
);

/** Measures a step of each precision, of one and of some hypotheses, and the preparation of a window. */
export async function decoderRows(
  device: CpuDevice,
  weights: WeightStore,
  options: { readonly rounds: number; readonly peaks: Peaks },
): Promise<Row[]> {
  const expected = await logits(openPortableDevice(), weights, "stored");
  const rows: Row[] = [];
  for (const precision of ["stored", "int8"] as const) {
    const error = relativeError(await logits(device, weights, precision), expected);
    rows.push(...await stepRows(device, weights, { ...options, precision, error }));
  }
  using decoder = await device.loadDecoder(BASE_DECODER, weights);
  using session = decoder.open(1);
  const [window] = await timeInTurns([() => session.setFeatures(features)], options.rounds);
  return [...rows, { what: "  a window's keys and values", time: window }];
}

async function stepRows(
  device: CpuDevice,
  weights: WeightStore,
  options: {
    readonly rounds: number;
    readonly peaks: Peaks;
    readonly precision: DecoderPrecision;
    readonly error: number;
  },
): Promise<Row[]> {
  const { precision, rounds, peaks, error } = options;
  const goals = GOALS[precision];
  using decoder = await device.loadDecoder(BASE_DECODER, weights, { precision });
  using session = decoder.open(Math.max(...BEAMS));
  await session.setFeatures(features);
  using stack = new DisposableStack();
  const windows = Array.from({ length: WINDOWS }, () => stack.use(decoder.open(1)));
  for (const window of windows) await window.setFeatures(features);
  const steps: ((position: number) => Promise<unknown>)[] = [1, ...BEAMS].map((width) => (position) =>
    session.step(new Int32Array(width).fill(position), width, position)
  );
  steps.push((position) =>
    decoder.stepTogether(
      windows.map((session) => ({ session, tokens: Int32Array.of(position), sequences: 1, position })),
    )
  );
  const bytes = bytesPerStep(BASE_DECODER, precision);
  const seconds = steps.map(() => Array.from({ length: STEPS }, (): number[] => []));
  const ofReadings: number[] = [];
  for (let round = 0; round < rounds; round++) {
    await peaks.sample();
    for (const [i, step] of steps.entries()) {
      const readBefore = i === 0 ? await peaks.sampleRead() : 0;
      for (let position = 0; position < STEPS; position++) {
        const begun = performance.now();
        await step(position);
        seconds[i][position].push((performance.now() - begun) / 1000);
      }
      if (i > 0) continue;
      // The memory's speed changes: a step is compared with what could be read just before and after it.
      const read = Math.max(readBefore, await peaks.sampleRead());
      ofReadings.push(timingOf(seconds[0].map((times) => times[round])).median / (bytes / read));
    }
  }
  // The cache grows with the position: the least of each, and the median of those.
  const [single, ...several] = seconds.map((positions): Timing => ({
    min: timingOf(positions.map((times) => timingOf(times).min)).median,
    median: timingOf(positions.flat()).median,
  }));
  const ofReading = timingOf(ofReadings).median;
  return [
    {
      what: `decoder step, base ${precision === "int8" ? "INT8" : "F16"}`,
      time: single,
      rate: { value: bytes / single.min, unit: "B" },
      error,
      verdicts: [{ goal: `≤ ${goals.error.toExponential(0)}`, met: error <= goals.error }],
    },
    {
      what: "  step over reading weights",
      verdicts: [{
        goal: `${ofReading.toFixed(2)} ≤ ${goals.ofReading} ×`,
        met: ofReading <= goals.ofReading,
      }],
    },
    ...several.slice(0, BEAMS.length).map((time, i): Row => {
      const ofSingle = time.min / single.min;
      return {
        what: `  step of ${BEAMS[i]} hypotheses`,
        time,
        rate: { value: bytes / time.min, unit: "B" },
        ...BEAMS[i] === GOAL_BEAM
          ? {
            verdicts: [{
              goal: `${ofSingle.toFixed(2)} ≤ ${MOST_OF_SINGLE} ×`,
              met: ofSingle <= MOST_OF_SINGLE,
            }],
          }
          : { note: `${ofSingle.toFixed(2)} ×` },
      };
    }),
    {
      what: `  step of ${WINDOWS} windows`,
      time: several[BEAMS.length],
      note: `${(several[BEAMS.length].min / single.min).toFixed(2)} ×`,
    },
  ];
}

/** Logits after a few tokens. */
async function logits(
  device: Device,
  weights: WeightStore,
  precision: DecoderPrecision,
): Promise<Float32Array> {
  using decoder = await device.loadDecoder(BASE_DECODER, weights, { precision });
  using session = decoder.open(1);
  await session.setFeatures(features);
  return await session.step(Int32Array.of(50258, 50259, 50359, 50363), 1, 0);
}

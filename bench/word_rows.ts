/**
 * What word times cost: the text once more through the decoder of Whisper base, and the path through its attention.
 *
 * @module
 */

import type { CpuDevice } from "../kernels/cpu/device.ts";
import { officialAlignmentHeads } from "../model/mod.ts";
import type { WeightStore } from "../model/weights.ts";
import { BASE_DECODER } from "./random_decoder.ts";
import type { Row } from "./report.ts";
import { timeInTurns } from "./timing.ts";

/** Goal: at most this share of what encoding the window and writing its text took. */
const MOST_OF_TRANSCRIPTION = 0.15;

/** Text tokens of a window of quick speech, and those around them: start, language, task, no timestamps, end. */
const TEXT_TOKENS = 80;
const START = 4;
const TOKENS = START + TEXT_TOKENS + 1;

const { n_audio_ctx: T, n_text_state: C } = BASE_DECODER;

/**
 * Times one window.
 *
 * @param encoderSeconds What encoding a window takes; null where the encoder is not base's.
 */
export async function wordRows(
  device: CpuDevice,
  weights: WeightStore,
  { rounds, encoderSeconds }: { readonly rounds: number; readonly encoderSeconds: number | null },
): Promise<Row[]> {
  using decoder = await device.loadDecoder(BASE_DECODER, weights);
  using session = decoder.open(1);
  const heads = officialAlignmentHeads("base")!;
  const features = Float32Array.from({ length: T * C }, (_, i) => Math.sin(i * 0.7) + Math.cos(i * 0.013));
  const tokens = Int32Array.from({ length: TOKENS }, (_, i) => (i * 131) % 50_257);
  const write = async () => {
    await session.setFeatures(features);
    for (let position = 0; position < TOKENS; position++) {
      await session.step(tokens.subarray(position, position + 1), 1, position);
    }
  };
  const time = () => session.align(tokens, heads, { start: START, positions: T, vocabulary: 50_257 });
  await write();
  const [writing, timing] = await timeInTurns([write, time], rounds);
  const share = encoderSeconds === null ? null : timing.min / (writing.min + encoderSeconds);
  return [{
    what: `times of ${TEXT_TOKENS} tokens, base`,
    time: timing,
    verdicts: share === null ? [] : [{
      goal: `${Math.round(100 * share)} ≤ ${100 * MOST_OF_TRANSCRIPTION} % of the window`,
      met: share <= MOST_OF_TRANSCRIPTION,
    }],
  }];
}

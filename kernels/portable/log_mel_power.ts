/**
 * log10 of the mel power spectrum of Hann-windowed frames.
 *
 * @module
 */

import { SottoError } from "../../errors.ts";
import type { MelFilters } from "../device.ts";
import { PowerSpectrum } from "./fft.ts";
import type { Pace } from "./pace.ts";

/** Samples of a frame (`N_FFT` of openai-whisper's `audio.py`): 25 ms at 16 kHz. */
const FRAME_SAMPLES = 400;
/** Samples from one frame to the next (`HOP_LENGTH`): 10 ms. */
const HOP_SAMPLES = 160;
const BINS = FRAME_SAMPLES / 2 + 1;
/** Mel power below this counts as this, so that silence has a logarithm: −10. */
const LEAST_POWER = 1e-10;
/** Frames between two looks at the clock: about 1 ms of work. */
const FRAMES_AT_A_TIME = 64;

/** The periodic Hann window, `torch.hann_window`'s default. */
function hannWindow(): Float64Array {
  return Float64Array.from(
    { length: FRAME_SAMPLES },
    (_, i) => 0.5 - 0.5 * Math.cos(2 * Math.PI * i / FRAME_SAMPLES),
  );
}

/** The bins of each triangle that are not zero, `[first, end)`: of 201 bins a band has a handful. */
function nonZeroBins({ bands, weights }: MelFilters): { first: Int32Array; end: Int32Array } {
  const first = new Int32Array(bands);
  const end = new Int32Array(bands);
  for (let band = 0; band < bands; band++) {
    const row = weights.subarray(band * BINS, (band + 1) * BINS);
    first[band] = Math.max(0, row.findIndex((w) => w !== 0));
    end[band] = row.findLastIndex((w) => w !== 0) + 1;
  }
  return { first, end };
}

/**
 * Computes F32 [frames, bands] as `Device.logMelPower` says. A frame's values depend on its samples alone.
 *
 * @throws {SottoError} E_OPTION if there are fewer samples than the frames need, or the filters are no bank.
 */
export async function logMelPower(
  samples: Float32Array<ArrayBuffer>,
  frames: number,
  filters: MelFilters,
  pace: Pace,
): Promise<Float32Array<ArrayBuffer>> {
  const { bands, weights } = filters;
  const needed = frames > 0 ? HOP_SAMPLES * (frames - 1) + FRAME_SAMPLES : 0;
  if (samples.length < needed) {
    throw new SottoError(
      "E_OPTION",
      `Cannot compute ${frames} frames: need ${needed} samples, got ${samples.length}`,
    );
  }
  if (weights.length !== bands * BINS) {
    throw new SottoError(
      "E_OPTION",
      `Cannot use mel filters: need [${bands}, ${BINS}], got ${weights.length} weights`,
    );
  }
  const spectrum = new PowerSpectrum(FRAME_SAMPLES);
  const window = hannWindow();
  const { first, end } = nonZeroBins(filters);
  const power = new Float64Array(BINS);
  const out = new Float32Array(frames * bands);
  for (let frame = 0; frame < frames; frame++) {
    spectrum.compute(samples, frame * HOP_SAMPLES, window, power);
    for (let band = 0; band < bands; band++) {
      let sum = 0;
      for (let bin = first[band]; bin < end[band]; bin++) sum += weights[band * BINS + bin] * power[bin];
      out[frame * bands + band] = Math.log10(Math.max(sum, LEAST_POWER));
    }
    if (frame % FRAMES_AT_A_TIME === FRAMES_AT_A_TIME - 1 && pace.due) await pace.pause();
  }
  return out;
}

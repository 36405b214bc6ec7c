/**
 * Mel filter banks: triangles over the bins of a spectrum, equally wide in mel.
 *
 * Whisper was trained with librosa's default, `librosa.filters.mel(sr=16000, n_fft=400)`: Slaney's mel scale
 * (M. Slaney, Auditory Toolbox, 1998) and triangles of equal area.
 *
 * @module
 */

import { SottoError } from "../errors.ts";
import type { MelFilters } from "../kernels/device.ts";
import { N_BINS, N_FFT, SAMPLE_RATE } from "./constants.ts";

/** Below this, in Hz, Slaney's scale is linear; above it, logarithmic. */
const LINEAR_UP_TO = 1000;
/** Width of one mel in the linear part, in Hz. */
const HZ_PER_MEL = 200 / 3;
/** Mels at the end of the linear part. */
const LINEAR_MELS = LINEAR_UP_TO / HZ_PER_MEL;
/** Growth per mel in the logarithmic part: 27 mels from 1000 to 6400 Hz. */
const LOG_STEP = Math.log(6.4) / 27;

/** A frequency in Hz on Slaney's mel scale. */
export function hzToMel(hz: number): number {
  return hz < LINEAR_UP_TO ? hz / HZ_PER_MEL : LINEAR_MELS + Math.log(hz / LINEAR_UP_TO) / LOG_STEP;
}

/** The frequency in Hz of a mel on Slaney's scale. */
export function melToHz(mel: number): number {
  return mel < LINEAR_MELS ? mel * HZ_PER_MEL : LINEAR_UP_TO * Math.exp((mel - LINEAR_MELS) * LOG_STEP);
}

const banks = new Map<number, MelFilters>();

/**
 * The bank of `bands` triangles from 0 to 8000 Hz, F32 [bands, 201]; the same object each time, not to be
 * written to.
 *
 * @param bands 80 for most models, 128 from large-v3 on; any integer of 1 or more.
 * @throws {SottoError} E_OPTION if it is none.
 */
export function melFilters(bands: number): MelFilters {
  if (!Number.isInteger(bands) || bands < 1) {
    throw new SottoError("E_OPTION", `Cannot make mel filters: need 1 band or more, got ${bands}`);
  }
  let bank = banks.get(bands);
  if (bank === undefined) banks.set(bands, bank = { bands, weights: makeWeights(bands) });
  return bank;
}

function makeWeights(bands: number): Float32Array<ArrayBuffer> {
  const top = hzToMel(SAMPLE_RATE / 2);
  const edges = Array.from({ length: bands + 2 }, (_, i) => melToHz(top * i / (bands + 1)));
  const weights = new Float32Array(bands * N_BINS);
  for (let band = 0; band < bands; band++) {
    const [low, centre, high] = edges.slice(band, band + 3);
    for (let bin = 0; bin < N_BINS; bin++) {
      const hz = bin * SAMPLE_RATE / N_FFT;
      const triangle = Math.min((hz - low) / (centre - low), (high - hz) / (high - centre));
      weights[band * N_BINS + bin] = Math.max(0, triangle) * 2 / (high - low);
    }
  }
  return weights;
}

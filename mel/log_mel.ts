/**
 * Whisper's log-mel spectrogram of audio that is in memory (openai-whisper, `log_mel_spectrogram`).
 *
 * @module
 */

import { SottoError } from "../errors.ts";
import type { Device } from "../kernels/device.ts";
import { drawnBy } from "../notebook/display.ts";
import { CENTER_PADDING, HOP_LENGTH, N_FRAMES, N_SAMPLES } from "./constants.ts";
import { FiniteCheck } from "./finite_check.ts";
import { melFilters } from "./filterbank.ts";
import { loudest, normalized } from "./normalize.ts";

/** A log-mel spectrogram: plain data, which a notebook shows as a picture. */
export interface LogMel {
  /** F32 [bands, frames], row-major; the loudest value lies 2 above the quietest at most. */
  readonly data: Float32Array<ArrayBuffer>;
  /** Mel bands. */
  readonly bands: number;
  /** 10 ms each. */
  readonly frames: number;
}

/** Options of {@linkcode logMel}. */
export interface LogMelOptions {
  /** Mel bands, 80 unless said otherwise; 128 from large-v3 on. */
  readonly bands?: number;
  /** Zero samples to append before anything else; 0 unless said otherwise. */
  readonly padding?: number;
  /** What computes the spectra. */
  readonly device: Pick<Device, "logMelPower">;
}

/**
 * Computes the log-mel spectrogram of 16 kHz audio: floor((samples + padding) / 160) frames.
 *
 * Frames are centred on multiples of 160 samples; where they reach over an end, the audio is mirrored there.
 * Audio too short to be mirrored once (200 samples or less) is mirrored to and fro, a single sample is
 * repeated, and no samples give no frames.
 *
 * @param audio F32, 16 kHz, one channel, −1…1.
 * @throws {SottoError} E_AUDIO_VALUES if a sample is NaN or infinite; E_OPTION if `bands` or `padding` is no
 * count.
 */
export async function logMel(audio: Float32Array, options: LogMelOptions): Promise<LogMel> {
  const { bands = 80, padding = 0, device } = options;
  const filters = melFilters(bands);
  if (!Number.isInteger(padding) || padding < 0) {
    throw new SottoError("E_OPTION", `Cannot pad audio: need 0 samples or more, got ${padding}`);
  }
  const finite = new FiniteCheck();
  finite.see(audio);
  finite.finish();

  const frames = Math.floor((audio.length + padding) / HOP_LENGTH);
  if (frames === 0) return drawn({ data: new Float32Array(0), bands, frames });
  const power = await device.logMelPower(mirrorEnds(audio, audio.length + padding), frames, filters);
  const max = loudest(power);
  const data = new Float32Array(bands * frames);
  for (let frame = 0; frame < frames; frame++) {
    for (let band = 0; band < bands; band++) {
      data[band * frames + frame] = normalized(power[frame * bands + band], max);
    }
  }
  return drawn({ data, bands, frames });
}

/** The audio, followed by zeros up to `length`, with 200 mirrored samples on each side. */
function mirrorEnds(audio: Float32Array, length: number): Float32Array<ArrayBuffer> {
  const mirrored = new Float32Array(length + 2 * CENTER_PADDING);
  mirrored.set(audio, CENTER_PADDING);
  const period = Math.max(1, 2 * (length - 1));
  const reflected = (at: number): number => {
    const folded = ((at % period) + period) % period;
    return audio[Math.min(folded, period - folded)] ?? 0;
  };
  for (let i = 1; i <= CENTER_PADDING; i++) {
    mirrored[CENTER_PADDING - i] = reflected(-i);
    mirrored[CENTER_PADDING + length - 1 + i] = reflected(length - 1 + i);
  }
  return mirrored;
}

/** The audio cut, or filled up with zeros, to `length` samples; 30 s unless said otherwise. A new array. */
export function padOrTrim(audio: Float32Array, length: number = N_SAMPLES): Float32Array<ArrayBuffer> {
  const out = new Float32Array(length);
  out.set(audio.subarray(0, length));
  return out;
}

/** The spectrogram cut, or filled up with zeros, to `frames`; 3000 unless said otherwise. A new array. */
export function padOrTrimMel(mel: LogMel, frames: number = N_FRAMES): LogMel {
  const data = new Float32Array(mel.bands * frames);
  const kept = Math.min(frames, mel.frames);
  for (let band = 0; band < mel.bands; band++) {
    data.set(mel.data.subarray(band * mel.frames, band * mel.frames + kept), band * frames);
  }
  return drawn({ data, bands: mel.bands, frames });
}

function drawn(mel: LogMel): LogMel {
  return drawnBy(mel, async (mel) => (await import("../notebook/log_mel_picture.ts")).drawLogMel(mel));
}

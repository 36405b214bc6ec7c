/**
 * Turns a stream of samples into log-mel frames, in constant memory.
 *
 * @module
 */

import { throwIfAborted } from "../abort.ts";
import type { Device } from "../kernels/device.ts";
import { CENTER_PADDING, HOP_LENGTH, N_FFT } from "./constants.ts";
import { melFilters } from "./filterbank.ts";
import { FiniteCheck } from "./finite_check.ts";

/** Frames computed in one call to the device, 10 s of audio: long enough that the call itself costs nothing. */
const FRAMES_AT_A_TIME = 1000;
/** Most frames a block can have: the last block takes in the frames that reach over the end. */
export const MOST_FRAMES_OF_A_BLOCK: number = FRAMES_AT_A_TIME + 2;

/** The samples under {@linkcode FRAMES_AT_A_TIME} frames. */
const BLOCK_SAMPLES = (FRAMES_AT_A_TIME - 1) * HOP_LENGTH + N_FFT;
/** Those of them that the next block's frames reach back over. */
const OVERLAP = N_FFT - HOP_LENGTH;

/** Consecutive frames. */
export interface FrameBlock {
  /** F32 [frames, bands]: log10 of the mel power, not normalized. */
  readonly power: Float32Array<ArrayBuffer>;
  /** Samples read so far. */
  readonly samplesRead: number;
}

/** Options of {@linkcode melFrames}. */
export interface MelFramesOptions {
  /** Mel bands. */
  readonly bands: number;
  /** What computes the spectra. */
  readonly device: Pick<Device, "logMelPower">;
  /** Aborting it ends the stream with E_ABORTED. */
  readonly signal?: AbortSignal;
}

/**
 * The frames of a recording followed by silence: all that hold at least one of its samples, in order.
 *
 * The start is mirrored, as in the log-mel of a whole recording; how the samples are cut into chunks does not
 * show in the frames.
 *
 * @param samples F32, 16 kHz, one channel, in chunks of any size.
 * @throws {SottoError} E_ABORTED; E_AUDIO_VALUES, at the end, if a sample was NaN or infinite.
 */
export async function* melFrames(
  samples: AsyncIterable<Float32Array>,
  { bands, device, signal }: MelFramesOptions,
): AsyncGenerator<FrameBlock, void, void> {
  const filters = melFilters(bands);
  const finite = new FiniteCheck();
  // Behind the block lies room for the zeros that the last frames reach over.
  const block = new Float32Array(BLOCK_SAMPLES + N_FFT);
  let filled = CENTER_PADDING;
  let samplesRead = 0;
  let atStart = true;

  const compute = async (frames: number): Promise<FrameBlock> => {
    throwIfAborted(signal);
    if (atStart) {
      for (let i = 1; i <= CENTER_PADDING; i++) block[CENTER_PADDING - i] = block[CENTER_PADDING + i];
      atStart = false;
    }
    return { power: await device.logMelPower(block, frames, filters), samplesRead };
  };

  for await (const chunk of samples) {
    finite.see(chunk);
    for (let taken = 0; taken < chunk.length;) {
      const count = Math.min(chunk.length - taken, BLOCK_SAMPLES - filled);
      block.set(chunk.subarray(taken, taken + count), filled);
      taken += count;
      filled += count;
      samplesRead += count;
      if (filled === BLOCK_SAMPLES) {
        yield await compute(FRAMES_AT_A_TIME);
        block.copyWithin(0, BLOCK_SAMPLES - OVERLAP, BLOCK_SAMPLES);
        filled = OVERLAP;
      }
    }
  }
  finite.finish();
  if (samplesRead === 0) return;
  block.fill(0, filled);
  yield await compute(Math.ceil(filled / HOP_LENGTH));
}

/**
 * A compressed file as a stream: its container's parser finds the pieces, a decoder in a worker decodes them.
 *
 * @module
 */

import { throwIfAborted } from "./abort.ts";
import type { AudioInfo, NativeAudio, ReadContext } from "./types.ts";
import { type DecoderName, DECODERS, undecodable, WorkerDecoder } from "./worker_decoder.ts";

/** What a container's parser gives. */
export interface CompressedAudio {
  readonly info: AudioInfo;
  readonly sampleRate: number;
  readonly decoder: DecoderName;
  /** Decoded samples to drop at the start. */
  readonly skipSamples: number;
  /**
   * The file in pieces for the decoder.
   *
   * @param decodedSamples Asks how many samples came of the pieces so far.
   */
  pieces(decodedSamples: () => number): AsyncGenerator<Uint8Array, void, void>;
  /**
   * Judges the whole after the last piece.
   *
   * @param decodedSamples How many samples came, the dropped ones included.
   * @throws {SottoError} E_AUDIO_DECODE where samples are missing without a reason.
   */
  finish(decodedSamples: number): void;
}

/** Decodes as it is read: the next piece is parsed only when the samples of the one before were taken. */
export function decodeCompressed(audio: CompressedAudio, name: string, context: ReadContext): NativeAudio {
  async function* chunks() {
    let decoded = 0;
    let toSkip = audio.skipSamples;
    const target = { name, sampleRate: audio.sampleRate };
    let decoder: WorkerDecoder | null = null;
    let complaint: string | null = null;
    const take = (piece: { mono: Float32Array<ArrayBuffer>; complaint: string | null }) => {
      complaint ??= piece.complaint;
      decoded += piece.mono.length;
      const skipped = Math.min(toSkip, piece.mono.length);
      toSkip -= skipped;
      return piece.mono.subarray(skipped);
    };
    try {
      for await (const piece of audio.pieces(() => decoded)) {
        throwIfAborted(context.signal, name);
        decoder ??= await WorkerDecoder.load(DECODERS[audio.decoder], target, context);
        yield take(await decoder.decode(piece));
        if (complaint !== null) throw undecodable(name, `its decoder says: ${complaint}`);
      }
      if (decoder !== null) yield take(await decoder.flush());
      if (complaint !== null) throw undecodable(name, `its decoder says: ${complaint}`);
    } finally {
      decoder?.[Symbol.dispose]();
    }
    audio.finish(decoded);
  }
  return { info: audio.info, rate: audio.sampleRate, chunks: { [Symbol.asyncIterator]: chunks } };
}

/** "5.3 s of 11.0 s", for W_TRUNCATED. */
export function secondsOf(decoded: number, expected: number, rate: number): string {
  return `decoded ${(decoded / rate).toFixed(1)} s of ${(expected / rate).toFixed(1)} s`;
}

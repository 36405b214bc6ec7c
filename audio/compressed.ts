/**
 * A compressed file as a stream: its container's parser finds the pieces, a decoder in a worker decodes them.
 *
 * @module
 */

import { throwIfAborted } from "../abort.ts";
import type { AudioInfo, NativeAudio, ReadContext } from "./types.ts";
import {
  type DecodedPiece,
  type DecoderName,
  DECODERS,
  type Piece,
  undecodable,
  WorkerDecoder,
} from "./worker_decoder.ts";

/** Stands between pieces where another stream begins, which needs a fresh decoder. */
export const NEW_STREAM = "new stream";

/** What a container's parser gives. */
export interface CompressedAudio {
  readonly info: AudioInfo;
  readonly sampleRate: number;
  readonly decoder: DecoderName;
  /** Decoded samples to drop at the start. */
  readonly skipSamples: number;
  /** What to multiply samples by: decoders differ in what full scale of an integer is. */
  readonly gain: number;
  /**
   * The file in pieces for the decoder.
   *
   * @param decodedSamples Asks how many samples came of the pieces so far.
   */
  pieces(decodedSamples: () => number): AsyncGenerator<Piece | typeof NEW_STREAM, void, void>;
  /** Where the sound ends, in decoded samples; what decoders give beyond is padding. Infinite until it is known. */
  endSample(): number;
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
    const take = ({ mono, complaint }: DecodedPiece): Float32Array<ArrayBuffer> => {
      if (complaint !== null) throw undecodable(name, `its decoder says: ${complaint}`);
      const sound = mono.subarray(0, Math.max(0, Math.min(mono.length, audio.endSample() - decoded)));
      if (audio.gain !== 1) { for (let i = 0; i < sound.length; i++) sound[i] *= audio.gain; }
      decoded += sound.length;
      const skipped = Math.min(toSkip, sound.length);
      toSkip -= skipped;
      return sound.subarray(skipped);
    };
    const rest = async () => decoder === null ? new Float32Array(0) : take(await decoder.flush());
    try {
      for await (const piece of audio.pieces(() => decoded)) {
        throwIfAborted(context.signal, `Reading ${name}`);
        if (piece === NEW_STREAM) {
          yield await rest();
          decoder?.[Symbol.dispose]();
          decoder = null;
          continue;
        }
        decoder ??= await WorkerDecoder.load(DECODERS[audio.decoder], target, context);
        yield take(await decoder.decode(piece));
      }
      yield await rest();
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

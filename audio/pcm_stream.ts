/**
 * From a decoder's samples to what the rest of sotto reads: checked, 16 kHz, in chunks of one size.
 *
 * @module
 */

import { release } from "../tensor/release.ts";
import { throwIfAborted } from "../abort.ts";
import { refuseNonFinite } from "./finite.ts";
import { Resampler } from "./resample.ts";
import { type AudioInfo, CHUNK_SAMPLES, type NativeAudio, type PcmStream, SAMPLE_RATE } from "./types.ts";

/** What a stream holds on to while it is read. */
export interface StreamResources {
  readonly name: string;
  /** Ends the stream with E_ABORTED. */
  readonly signal: AbortSignal;
  /** Gives that signal. */
  readonly stop: () => void;
  /** Closes the file. */
  readonly close: () => void;
}

/** Makes the stream of a file's samples. The file is closed when the stream ends, fails or is disposed of. */
export function pcmStream(audio: NativeAudio, resources: StreamResources): PcmStream {
  return new NativePcmStream(audio, resources);
}

class NativePcmStream implements PcmStream {
  readonly sampleRate = SAMPLE_RATE;
  readonly info: AudioInfo;
  readonly #resources: StreamResources;
  readonly #chunks: AsyncGenerator<Float32Array<ArrayBuffer>, void, void>;
  #closed = false;

  constructor(audio: NativeAudio, resources: StreamResources) {
    this.info = audio.info;
    this.#resources = resources;
    this.#chunks = this.#read(audio);
  }

  [Symbol.asyncIterator](): AsyncIterator<Float32Array<ArrayBuffer>, void, void> {
    return this.#chunks;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#resources.stop(); // a decoder that hangs must not hold up its own end
    await this.#chunks.return().catch(() => {});
    this.#close();
  }

  async *#read(audio: NativeAudio): AsyncGenerator<Float32Array<ArrayBuffer>, void, void> {
    try {
      const resampler = new Resampler(audio.rate);
      const chunker = new Chunker();
      for await (const samples of refuseNonFinite(audio, this.#resources.name)) {
        throwIfAborted(this.#resources.signal, `Reading ${this.#resources.name}`);
        const resampled = resampler.push(samples);
        yield* chunker.push(resampled);
        release(samples);
        if (resampled !== samples) release(resampled);
      }
      yield* chunker.push(resampler.finish());
      yield* chunker.finish();
    } finally {
      this.#close();
    }
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#resources.close();
  }
}

/** Cuts samples into chunks of {@linkcode CHUNK_SAMPLES}. */
class Chunker {
  #chunk = new Float32Array(CHUNK_SAMPLES);
  #filled = 0;

  *push(samples: Float32Array<ArrayBuffer>): Generator<Float32Array<ArrayBuffer>, void, void> {
    for (let at = 0; at < samples.length;) {
      const part = samples.subarray(at, at + CHUNK_SAMPLES - this.#filled);
      this.#chunk.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
      if (this.#filled < CHUNK_SAMPLES) return;
      yield this.#chunk;
      this.#chunk = new Float32Array(CHUNK_SAMPLES);
      this.#filled = 0;
    }
  }

  *finish(): Generator<Float32Array<ArrayBuffer>, void, void> {
    if (this.#filled > 0) yield this.#chunk.slice(0, this.#filled);
  }
}

/**
 * What audio/ takes and gives.
 *
 * @module
 */

import type { WarningSink } from "../errors.ts";

/** Samples in a second of everything past this folder: the rate Whisper was trained at. */
export const SAMPLE_RATE = 16_000; // Hz

/** The lowest rate a file may have. */
export const MIN_SAMPLE_RATE = 4_000; // Hz; below it there is no speech left
/** The highest rate a file may have. */
export const MAX_SAMPLE_RATE = 384_000; // Hz; the highest that converters are sold with
/** The most channels a file may have: 7.1 surround. */
export const MAX_CHANNELS = 8;

/**
 * Audio as a caller gives it: a path or `file:` URL, an `http(s):` URL, the bytes of a file in any format (in an
 * array, a buffer, a `Blob` or `File`, or a stream such as `response.body` or `Deno.stdin.readable`), or samples that
 * already are 16 kHz mono (F32 [samples], full scale ±1).
 *
 * A file is read in pieces and never held whole; a URL, a `Blob` and a stream are. A stream can be read once.
 */
export type AudioInput =
  | string
  | URL
  | Uint8Array
  | ArrayBuffer
  | Blob
  | ReadableStream<Uint8Array>
  | Float32Array;

/** How to read audio. */
export interface AudioOptions {
  /** Receives W_LENGTH, W_TRUNCATED and W_DAMAGED, each once per source. Default: they are dropped. */
  readonly onWarning?: WarningSink;
  /** Ends opening and reading with E_ABORTED. */
  readonly signal?: AbortSignal;
  /**
   * Where `ffmpeg` may be used. Default: `ffmpeg` of the PATH, for formats that have no decoder here. A
   * string: that executable instead. `true`: for everything but WAV. `false`: never.
   */
  readonly ffmpeg?: boolean | string;
  /** How long a decoder or a server may stay silent before it is ended. Seconds, above 0; default 60. */
  readonly timeoutSeconds?: number;
  /** The name in messages. Default: the path, the URL, or what kind of value was given. */
  readonly name?: string;
}

/** What the container says. Fields that only `ffmpeg` knows are null where it decodes. */
export interface AudioInfo {
  /** Such as `WAV`, `RF64`, `FLAC`, `MP3`, `Ogg`, `MP4`. */
  readonly container: string;
  /** Such as `PCM s16`, `µ-law`, `MPEG layer III`, `Opus`. */
  readonly codec: string | null;
  /** Samples a second in the file. */
  readonly sampleRate: number | null;
  /** Channels in the file, before they were mixed to one. */
  readonly channels: number | null;
  /** Null where the container does not say. */
  readonly durationSeconds: number | null;
}

/**
 * Samples as they are decoded: F32 [samples], 16 kHz, mono, full scale ±1, all finite. Every chunk holds
 * exactly {@linkcode CHUNK_SAMPLES} samples except the last; an empty file has no chunks. May be iterated once.
 */
export interface PcmStream extends AsyncIterable<Float32Array<ArrayBuffer>>, AsyncDisposable {
  /** Samples a second: 16,000 whatever the file has. */
  readonly sampleRate: 16000;
  /** What the container says. */
  readonly info: AudioInfo;
}

/** Samples in a chunk of a {@linkcode PcmStream}: 5 s. */
export const CHUNK_SAMPLES: number = 5 * SAMPLE_RATE;

/** Audio that can be read from its start any number of times. */
export interface AudioSource {
  /** The name in messages. */
  readonly name: string;
  /** What the container says. */
  readonly info: AudioInfo;
  /** Starts reading and decoding at the first sample. */
  open(signal?: AbortSignal): Promise<PcmStream>;
}

/** Samples of one channel at the file's own rate, before they are checked and resampled. */
export interface NativeAudio {
  readonly info: AudioInfo;
  /** Samples a second of `chunks`, {@linkcode MIN_SAMPLE_RATE} to {@linkcode MAX_SAMPLE_RATE}. */
  readonly rate: number;
  /**
   * F32 [samples], channels already mixed by their mean, of any length, each in memory of its own, which is whoever takes
   * it. Nothing starts before it is iterated.
   */
  readonly chunks: AsyncIterable<Float32Array<ArrayBuffer>>;
}

/** What every reader of a container is given besides the bytes. */
export interface ReadContext {
  readonly warn: WarningSink;
  readonly signal: AbortSignal;
  readonly timeoutSeconds: number;
}

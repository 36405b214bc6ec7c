/**
 * Opens audio: finds out what it is, and picks who decodes it.
 *
 * @module
 */

import { SottoError, type Warning } from "../errors.ts";
import { throwIfAborted } from "../abort.ts";
import type { ByteReader, ByteSource } from "./byte_reader.ts";
import { decodeCompressed } from "./compressed.ts";
import { checkFfmpeg, openFfmpeg } from "./ffmpeg.ts";
import { openFlac } from "./flac.ts";
import { byteSource } from "./input.ts";
import { openMpeg } from "./mpeg.ts";
import { openOgg } from "./ogg.ts";
import { pcmStream } from "./pcm_stream.ts";
import { sniff } from "./sniff.ts";
import {
  type AudioInfo,
  type AudioInput,
  type AudioOptions,
  type AudioSource,
  type NativeAudio,
  type PcmStream,
  type ReadContext,
  SAMPLE_RATE,
} from "./types.ts";
import { openWav } from "./wav.ts";

const DEFAULT_TIMEOUT_SECONDS = 60;

/**
 * Finds audio and reads its header. Its samples are decoded when the source is opened, each time anew; a file
 * is then read again, in pieces, and never held whole.
 *
 * @throws {SottoError} E_INPUT (missing, a folder), E_PERMISSION, E_AUDIO_FORMAT, E_DOWNLOAD, E_OPTION.
 */
export async function openAudio(input: AudioInput, options: AudioOptions = {}): Promise<AudioSource> {
  const { timeoutSeconds = DEFAULT_TIMEOUT_SECONDS, signal = new AbortController().signal } = options;
  checkTimeout(timeoutSeconds);
  const context = { warn: once(options.onWarning), signal, timeoutSeconds };
  throwIfAborted(signal, `Reading ${options.name ?? "audio"}`);
  if (input instanceof Float32Array) {
    return new SampleSource(input, options.name ?? "the samples given", context);
  }
  const source = await byteSource(input, context, options.name);
  using reader = await source.open();
  const { info } = await openNative(reader, source, context, options.ffmpeg);
  return new FileAudioSource(source, info, context, options.ffmpeg);
}

/** Refuses a time-out, in seconds, that cannot be waited for. */
export function checkTimeout(timeoutSeconds: number): void {
  if (!(timeoutSeconds > 0 && timeoutSeconds <= 2_000_000)) { // setTimeout counts milliseconds in 31 bits
    throw new SottoError(
      "E_OPTION",
      `timeoutSeconds must be above 0 and at most 2000000: got ${timeoutSeconds}`,
    );
  }
}

/**
 * Reads audio whole: 3.8 MB a minute.
 *
 * @returns F32 [samples], 16 kHz, mono, full scale ±1; empty for empty audio.
 * @throws {SottoError} As {@linkcode openAudio}; E_AUDIO_DECODE, E_AUDIO_VALUES, E_AUDIO_TIMEOUT, E_ABORTED.
 */
export async function loadAudio(
  input: AudioInput,
  options: AudioOptions = {},
): Promise<Float32Array<ArrayBuffer>> {
  const source = await openAudio(input, options);
  await using stream = await source.open(options.signal);
  const chunks: Float32Array<ArrayBuffer>[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  const samples = new Float32Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    samples.set(chunk, at);
    at += chunk.length;
  }
  return samples;
}

class FileAudioSource implements AudioSource {
  readonly name: string;

  constructor(
    readonly source: ByteSource,
    readonly info: AudioInfo,
    readonly context: ReadContext,
    readonly ffmpeg: AudioOptions["ffmpeg"],
  ) {
    this.name = source.name;
  }

  async open(signal?: AbortSignal): Promise<PcmStream> {
    const { context, stop } = linked(this.context, signal);
    throwIfAborted(context.signal, `Reading ${this.name}`);
    const reader = await this.source.open();
    try {
      const audio = await openNative(reader, this.source, context, this.ffmpeg);
      return pcmStream(audio, {
        name: this.name,
        signal: context.signal,
        stop,
        close: () => reader[Symbol.dispose](),
      });
    } catch (error) {
      reader[Symbol.dispose]();
      throw error;
    }
  }
}

/** Samples that already are what is wanted; checked, not copied whole. */
class SampleSource implements AudioSource {
  readonly info: AudioInfo;

  constructor(readonly samples: Float32Array, readonly name: string, readonly context: ReadContext) {
    const durationSeconds = samples.length / SAMPLE_RATE;
    this.info = {
      container: "samples",
      codec: "float 32",
      sampleRate: SAMPLE_RATE,
      channels: 1,
      durationSeconds,
    };
  }

  open(signal?: AbortSignal): Promise<PcmStream> {
    const { samples, name, info } = this;
    const { context, stop } = linked(this.context, signal);
    async function* chunks() {
      for (let at = 0; at < samples.length; at += SAMPLE_RATE) yield samples.slice(at, at + SAMPLE_RATE);
    }
    const audio: NativeAudio = { info, rate: SAMPLE_RATE, chunks: { [Symbol.asyncIterator]: chunks } };
    return Promise.resolve(pcmStream(audio, { name, signal: context.signal, stop, close: () => {} }));
  }
}

/** Picks the decoder. Nothing is decoded yet, and no worker or process started. */
async function openNative(
  reader: ByteReader,
  source: ByteSource,
  context: ReadContext,
  ffmpeg: AudioOptions["ffmpeg"] = "ffmpeg",
): Promise<NativeAudio> {
  const program = ffmpeg === false ? null : ffmpeg === true ? "ffmpeg" : ffmpeg;
  const viaFfmpeg = async (container: string) => {
    await checkFfmpeg(program, container, source.name);
    return openFfmpeg(source, container, program!, context);
  };
  const sniffed = await sniff(reader);
  if (sniffed.kind === "wav") return await openWav(reader, context.warn) ?? await viaFfmpeg("compressed WAV");
  if (sniffed.kind === "ffmpeg") return await viaFfmpeg(sniffed.container);
  if (ffmpeg === true) return await viaFfmpeg(sniffed.kind);
  const audio = sniffed.kind === "flac"
    ? await openFlac(reader, context)
    : sniffed.kind === "mpeg"
    ? await openMpeg(reader, context)
    : await openOgg(reader, context);
  return audio === null ? await viaFfmpeg("this Ogg codec") : decodeCompressed(audio, source.name, context);
}

/** A context that ends with the source's signal, with one more, or when `stop` is called. */
function linked(context: ReadContext, signal?: AbortSignal): { context: ReadContext; stop: () => void } {
  const own = new AbortController();
  const signals = [context.signal, own.signal, ...(signal === undefined ? [] : [signal])];
  return { context: { ...context, signal: AbortSignal.any(signals) }, stop: () => own.abort() };
}

/** A file is read twice, its warnings are told once. */
function once(sink: AudioOptions["onWarning"]): (warning: Warning) => void {
  const told = new Set<string>();
  return (warning) => {
    if (told.has(warning.message)) return;
    told.add(warning.message);
    sink?.(warning);
  };
}

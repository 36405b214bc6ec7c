/**
 * A Whisper, loaded and ready: the checkpoint's encoder, text decoder and tokenizer on one device.
 *
 * @module
 */

import { throwIfAborted } from "./abort.ts";
import { type AudioInput, type AudioOptions, openAudio } from "./audio/mod.ts";
import {
  type DecodeOptions,
  decodeWindow,
  detectLanguage,
  type LanguageDetection,
  type RunControls,
  type Segment,
  Tokenizer,
  type WindowResult,
} from "./decoder/mod.ts";
import { Encoder, type EncoderOptions, type Precision } from "./encoder/mod.ts";
import { SottoError, type Warning, type WarningSink } from "./errors.ts";
import {
  type DecoderPrecision,
  type Device,
  type LoadedDecoder,
  openDevice,
  printDeviceWarning,
} from "./kernels/mod.ts";
import { type LiveOptions, type LiveTranscript, type LiveUpdate, transcribeStream } from "./live/mod.ts";
import { type LogMel, logMel, N_SAMPLES } from "./mel/mod.ts";
import {
  alignmentHeadsOf,
  type Checkpoint,
  type Dimensions,
  findModel,
  type FindModelOptions,
  type LayerAndHead,
  openCheckpoint,
} from "./model/mod.ts";
import { transcribeAudio, type Transcript, type TranscriptionOptions } from "./transcribe.ts";
import { type TranscriptionProgress, transcriptionProgress } from "./transcription_progress.ts";

/** How a model is found and loaded. */
export interface LoadModelOptions
  extends Omit<EncoderOptions, "device">, Omit<FindModelOptions, "onWarning"> {
  /** Where to run; default `auto`. */
  readonly device?: "auto" | Device["name"];
}

/**
 * Loads a model.
 *
 * @param source A name (`base`, `turbo`, `openai/whisper-small`), which is looked for in the caches and else
 * downloaded; or the path or `file:` URL of a folder or file of a checkpoint.
 * @throws {SottoError} E_MODEL_NOT_FOUND, E_DOWNLOAD, E_INTEGRITY where it is looked for by name; E_MODEL_FORMAT,
 * E_MODEL_MISMATCH, E_MODEL_VALUES, E_TOKENIZER if it is not a whole Whisper; E_OPTION, E_PERMISSION, E_NATIVE,
 * E_DEVICE if the device cannot be used.
 *
 * @example
 * ```ts
 * import { loadModel } from "./mod.ts";
 *
 * using model = await loadModel("models/demo"); // or a name: base, turbo, owner/name
 * const { text } = await model.transcribe("models/demo/audio/01_command.wav");
 * console.log(text);
 * ```
 */
export async function loadModel(source: string | URL, options: LoadModelOptions = {}): Promise<WhisperModel> {
  const told: Warning[] = [];
  const telling = { ...options, onWarning: collect(told, options.onWarning) };
  const path = await findModel(source, telling);
  throwIfAborted(options.signal, "Loading the model");
  return await WhisperModel.load(await openCheckpoint(path, telling), options, told);
}

/** A Whisper on a device. Dispose of it to free its weights and threads. */
export class WhisperModel implements Disposable, AsyncDisposable {
  /** Dimensions of the checkpoint. */
  readonly dims: Dimensions;
  /** Where it runs. */
  readonly device: Device;
  /** Log-mel to features. */
  readonly encoder: Encoder;
  /** Features and tokens to logits. */
  readonly decoder: LoadedDecoder;
  /** Tokens to text and back. */
  readonly tokenizer: Tokenizer;
  /** Heads of the decoder's cross-attention that follow the audio in time. */
  readonly alignmentHeads: readonly LayerAndHead[];
  /** What was told while it was found and loaded; every transcript's report repeats it. */
  readonly warnings: readonly Warning[];
  readonly #owned: DisposableStack;
  readonly #running = new Set<Promise<unknown>>();

  private constructor(
    parts: {
      dims: Dimensions;
      device: Device;
      encoder: Encoder;
      decoder: LoadedDecoder;
      tokenizer: Tokenizer;
      alignmentHeads: readonly LayerAndHead[];
      warnings: readonly Warning[];
    },
    owned: DisposableStack,
  ) {
    this.dims = parts.dims;
    this.device = parts.device;
    this.encoder = parts.encoder;
    this.decoder = parts.decoder;
    this.tokenizer = parts.tokenizer;
    this.alignmentHeads = parts.alignmentHeads;
    this.warnings = parts.warnings;
    this.#owned = owned;
  }

  /**
   * Loads an open checkpoint. Throws as {@linkcode loadModel}, and E_ABORTED if `signal` says so on the way.
   *
   * @param earlier What was told while the checkpoint was found and opened.
   */
  static async load(
    checkpoint: Checkpoint,
    options: LoadModelOptions = {},
    earlier: readonly Warning[] = [],
  ): Promise<WhisperModel> {
    const warnings = [...earlier];
    const onWarning = collect(warnings, options.onWarning ?? printDeviceWarning);
    const { dims, weights, vocabulary } = checkpoint;
    if (dims.decoder === null || vocabulary === null) {
      throw new SottoError(
        "E_MODEL_MISMATCH",
        `Cannot transcribe with ${checkpoint.name}: it holds the encoder alone`,
        {
          hint: "Give a whole checkpoint, or use Encoder.load() for features.",
        },
      );
    }
    const tokenizer = await Tokenizer.from(vocabulary, {
      vocabularySize: dims.decoder.n_vocab,
      multilingual: checkpoint.generation?.is_multilingual ?? undefined,
    });
    using opened = new DisposableStack();
    const device = opened.use(await openDevice(options.device ?? "auto", { ...options, onWarning }));
    throwIfAborted(options.signal, "Loading the model");
    const encoder = opened.use(await Encoder.load(checkpoint, { ...options, onWarning, device }));
    throwIfAborted(options.signal, "Loading the model");
    const decoder = opened.use(
      await device.loadDecoder(dims.decoder, weights, { precision: decoderPrecision(options.precision) }),
    );
    const parts = {
      dims: { ...dims.encoder, ...dims.decoder },
      device,
      encoder,
      decoder,
      tokenizer,
      alignmentHeads: alignmentHeadsOf(checkpoint, dims.decoder),
      warnings,
    };
    return new WhisperModel(parts, opened.move());
  }

  /**
   * Transcribes a recording of any length.
   *
   * @param audio A path, a URL, the bytes of a file (array, buffer, blob or stream), or 16 kHz mono samples.
   * @throws {SottoError} E_OPTION for wrong options, before anything is read; what reading the audio throws;
   * E_ABORTED.
   */
  async transcribe(audio: AudioInput, options: TranscriptionOptions = {}): Promise<Transcript> {
    return await this.#track((async () => {
      const segments = this.segments(audio, options);
      let step = await segments.next();
      while (!step.done) step = await segments.next();
      return step.value;
    })());
  }

  /**
   * Transcribes a recording, yielding segments as they come; the generator's return value is the transcript.
   * Throws as {@linkcode WhisperModel.transcribe}.
   */
  segments(audio: AudioInput, options: TranscriptionOptions = {}): AsyncGenerator<Segment, Transcript> {
    return transcribeAudio(this, audio, options);
  }

  /**
   * Transcribes a recording, yielding after each window how far it is and which segments are new; the generator's
   * return value is the transcript. Leaving the loop ends the work. Throws as {@linkcode WhisperModel.transcribe}.
   *
   * @example
   * ```ts
   * import { loadModel } from "./mod.ts";
   *
   * using model = await loadModel("models/demo");
   * for await (const { fraction, segments } of model.progress("models/demo/audio/01_command.wav")) {
   *   console.log(`${Math.round(100 * fraction)} %`, segments.map(({ text }) => text));
   * }
   * ```
   */
  progress(
    audio: AudioInput,
    options: TranscriptionOptions = {},
  ): AsyncGenerator<TranscriptionProgress, Transcript> {
    return transcriptionProgress((options) => this.segments(audio, options), options);
  }

  /**
   * Transcribes samples as they are spoken: F32, 16 kHz, one channel, in chunks of any size. Yields what is new after
   * each reading; the generator's return value is the transcript.
   *
   * @throws {SottoError} E_OPTION before anything is read; E_AUDIO_VALUES; E_ABORTED.
   */
  transcribeStream(
    samples: AsyncIterable<Float32Array>,
    options: LiveOptions = {},
  ): AsyncGenerator<LiveUpdate, LiveTranscript> {
    return transcribeStream(this, samples, options);
  }

  /** The log-mel of the first 30 s of audio, silence behind it: what the encoder takes. */
  async logMel(audio: AudioInput, options: AudioOptions = {}): Promise<LogMel> {
    const samples = await openingSamples(audio, options);
    return await logMel(samples, { bands: this.dims.n_mels, device: this.device });
  }

  /** Detects the language spoken in the first 30 s. Throws E_OPTION for an English-only model. */
  async detectLanguage(audio: AudioInput, options: AudioOptions = {}): Promise<LanguageDetection> {
    return await this.#track((async () => {
      const features = await this.encoder.encode(await this.logMel(audio, options), options);
      return await detectLanguage(this, features, options);
    })());
  }

  /** Decodes one window: a log-mel F32 [n_mels, 3000] as {@linkcode WhisperModel.logMel} makes it. */
  async decode(logMel: LogMel, options: DecodeOptions & RunControls = {}): Promise<WindowResult> {
    return await this.#track(
      (async () => await decodeWindow(this, await this.encoder.encode(logMel, options), options))(),
    );
  }

  /** Frees everything the model holds. Throws E_BUSY during a call. */
  [Symbol.dispose](): void {
    this.#owned[Symbol.dispose]();
  }

  /** Frees the same after the calls that were made; a `segments()` that is left unfinished counts as none. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#running);
    this[Symbol.dispose]();
  }

  async #track<T>(call: Promise<T>): Promise<T> {
    this.#running.add(call);
    try {
      return await call;
    } finally {
      this.#running.delete(call);
    }
  }
}

/** Decoding is bound by memory, so only bytes make it faster: of all precisions `int8` alone changes the decoder. */
function decoderPrecision(precision: Precision | undefined): DecoderPrecision {
  return precision === "int8" ? "int8" : "stored";
}

/** The first 30 s, silence behind them; what follows is not read. */
async function openingSamples(audio: AudioInput, options: AudioOptions): Promise<Float32Array<ArrayBuffer>> {
  const source = await openAudio(audio, options);
  await using stream = await source.open(options.signal);
  const samples = new Float32Array(N_SAMPLES);
  let filled = 0;
  for await (const chunk of stream) {
    samples.set(chunk.subarray(0, N_SAMPLES - filled), filled);
    filled += chunk.length;
    if (filled >= N_SAMPLES) break;
  }
  return samples;
}

/** Keeps warnings in a list and passes them on. */
function collect(list: Warning[], next: WarningSink | undefined): WarningSink {
  return (warning) => {
    list.push(warning);
    next?.(warning);
  };
}

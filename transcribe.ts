/**
 * The way from audio to text: audio → log-mel windows → features → tokens → segments.
 *
 * @module
 */

import { type AudioInput, type AudioSource, openAudio } from "./audio/mod.ts";
import {
  type Cut,
  resolveTranscribeOptions,
  type Segment,
  type Tokenizer,
  transcribeBatches,
  transcribeWindows,
  type TranscriptionModel,
} from "./decoder/mod.ts";
import type { Encoder } from "./encoder/mod.ts";
import type { Warning } from "./errors.ts";
import { type Device, type LoadedDecoder, usageSince } from "./kernels/mod.ts";
import { FRAMES_PER_SECOND } from "./mel/constants.ts";
import { MelWindows, N_FRAMES, type SampleSource } from "./mel/mod.ts";
import { drawnBy } from "./notebook/display.ts";
import type { LayerAndHead } from "./model/mod.ts";
import { type RunReport, StageClock } from "./run_report.ts";
import { release } from "./tensor/release.ts";
import {
  checkTranscriptionOptions,
  splitOptions,
  type TranscriptionOptions,
  type VoiceOptions,
} from "./transcription_options.ts";
import {
  cutAtPauses,
  heardBy,
  packSpans,
  resolveVadParameters,
  restoreTimes,
  SileroDetector,
  SpeechDetector,
  speechOracle,
  speechSpans,
  Timeline,
  type VadParameters,
  VoicedWindows,
} from "./voice/mod.ts";
import { drawnWords } from "./word_times.ts";

export type { TranscriptionOptions } from "./transcription_options.ts";

/**
 * A transcription: plain data, safe for JSON. A notebook shows it as a table with a player for each segment, for which
 * it reads the audio again (samples and bytes that were given are kept for that as long as the transcript is).
 */
export interface Transcript {
  /** All text. */
  readonly text: string;
  /** Code of the language, given or detected; null where there was no audio to detect it from. */
  readonly language: string | null;
  /** Probability of each language where it was detected, else null. */
  readonly languageProbabilities: Readonly<Record<string, number>> | null;
  /** In order of time. */
  readonly segments: readonly Segment[];
  /** Where it ran, how, and how long it took. */
  readonly run: RunReport;
}

/** What a transcription runs on. */
export interface TranscriptionParts {
  /** Where it runs. */
  readonly device: Device;
  /** Log-mel to features. */
  readonly encoder: Encoder;
  /** Features and tokens to logits. */
  readonly decoder: LoadedDecoder;
  /** Tokens to text. */
  readonly tokenizer: Tokenizer;
  /** Heads of the decoder's cross-attention that follow the audio in time. */
  readonly alignmentHeads: readonly LayerAndHead[];
  /** What was told while the model was loaded. */
  readonly warnings: readonly Warning[];
}

/**
 * Transcribes audio, yielding segments as their window is done, and returns all of it.
 *
 * @throws {SottoError} E_OPTION before anything is read if an option is wrong; whatever reading the audio throws;
 * E_ABORTED.
 */
export async function* transcribeAudio(
  { device, encoder, decoder, tokenizer, alignmentHeads, warnings: earlier }: TranscriptionParts,
  audio: AudioInput,
  options: TranscriptionOptions = {},
): AsyncGenerator<Segment, Transcript> {
  const { signal, ffmpeg, name, timeoutSeconds } = options;
  checkTranscriptionOptions(options);
  const { voice, decoding } = splitOptions(options);
  const warnings: Warning[] = [...earlier];
  const onWarning = (warning: Warning): void => {
    warnings.push(warning);
    options.onWarning?.(warning);
  };
  resolveTranscribeOptions(decoding, { tokenizer, contextLength: decoder.dims.n_text_ctx });
  const clock = new StageClock();
  const used = device.usage?.();
  const bands = encoder.dims.n_mels;
  await using silero = await clock.time("open", () => openDetector(voice));
  const ours = new SpeechDetector(bands);

  await using windows = await clock.time("open", async () => {
    using opening = new OpeningSignal(signal, decoding.stop);
    const source = await openAudio(audio, {
      signal: opening.signal,
      onWarning,
      ffmpeg,
      name,
      timeoutSeconds,
    });
    const onFrames = silero ? undefined : (power: Float32Array<ArrayBuffer>) => ours.push(power);
    const samples = silero ? heardBy(usedOnce(source), silero) : usedOnce(source);
    return await MelWindows.open(samples, { bands, device, signal: opening.signal, onFrames });
  });
  const heard = await clock.time("open", async () => listen(await (silero ?? ours).finish(), windows, voice));
  const whole = { ...timedWindows(windows, clock), again: () => timedWindows(windows.again(), clock) };
  const melWindows = heard.timeline === null
    ? { ...whole, holdsSpeech: heard.holdsSpeech }
    : new VoicedWindows(whole, heard.timeline);
  let encoded = 0;
  const encode: TranscriptionModel["encode"] = (mel, { place } = {}) => {
    encoded++;
    const seconds = (frame: number) => frame / FRAMES_PER_SECOND;
    const given = place && { start: seconds(place.seek), end: seconds(place.seek + place.frames) };
    const span = given && heard.timeline ? heard.timeline.times(given) : given;
    return clock.time("encoder", () => encoder.encode(mel, { signal, span, onWarning }));
  };
  const model = { encode, decoder, tokenizer, alignmentHeads };
  const controls = { ...decoding, signal, onWarning };
  const work = heard.cuts === null
    ? transcribeWindows(melWindows, model, controls)
    : transcribeBatches(melWindows, model, { ...controls, cuts: heard.cuts, batchSize: voice.batchSize! });

  const segments: Segment[] = [];
  let step = await clock.time("windows", () => work.next());
  for (; !step.done; step = await clock.time("windows", () => work.next())) {
    const segment = heard.timeline === null ? step.value : restoreTimes(step.value, heard.timeline);
    if (segment.words) drawnWords(segment.words);
    segments.push(segment);
    yield segment;
  }
  const { text, language, detection, isComplete } = step.value;
  const languageProbabilities = detection?.probabilities ?? null;
  const report: RunReport = {
    windows: encoded,
    isComplete,
    warnings,
    ...reportOf(clock, windows.durationSeconds, { device, encoder, decoder }),
    ...(used && device.usage ? { npu: usageSince(used, device.usage()) } : {}),
  };
  const run = drawnBy(report, async (it) => (await import("./notebook/run_table.ts")).drawRun(it));
  const transcript: Transcript = { text, language, languageProbabilities, segments, run };
  return drawnBy(
    transcript,
    async (it) => await (await import("./notebook/transcript_table.ts")).drawTranscript(it, audio),
  );
}

/** What voice activity found. */
interface Heard {
  /** What is kept; null: all of it. */
  readonly timeline: Timeline | null;
  /** Windows to be decoded independently, in frames of what is kept; null: one after the other. */
  readonly cuts: readonly Cut[] | null;
  /** Absent where the first window has speech, or none has: it decides over the language then, as in openai-whisper. */
  readonly holdsSpeech?: (seek: number, frames: number) => boolean;
}

/** What fits into windows, cut at short pauses too (faster-whisper's batched pipeline: 30 s, 160 ms). */
const PACKABLE: VadParameters = { maxSpeechDurationS: 30, minSilenceDurationMs: 160 };

/** The network that the caller named; null: our own detector. */
async function openDetector({ vadModel = null }: VoiceOptions): Promise<SileroDetector | null> {
  return vadModel === null ? null : await SileroDetector.open(vadModel);
}

function listen(
  speech: Uint8Array,
  { contentFrames }: MelWindows,
  { vadFilter, vadParameters, batchSize = null }: VoiceOptions,
): Heard {
  const probabilities = speech.subarray(0, contentFrames);
  if (vadFilter) {
    const defaults = batchSize === null ? {} : PACKABLE;
    const parameters = resolveVadParameters(vadParameters, { defaults });
    const spans = speechSpans(probabilities, parameters);
    // Speech fades into its padding: half of that is surely silence.
    const margin = Math.round(parameters.speechPadMs / 2 / 10);
    return { timeline: new Timeline(spans, margin), cuts: batchSize === null ? null : packSpans(spans) };
  }
  const cuts = batchSize === null ? null : cutAtPauses(probabilities);
  const holdsSpeech = speechOracle(probabilities);
  const isPlain = holdsSpeech(0, N_FRAMES) || !holdsSpeech(0, contentFrames);
  return { timeline: null, cuts, holdsSpeech: isPlain ? undefined : holdsSpeech };
}

/** Windows whose cutting counts to the stage `cut`. */
function timedWindows(windows: MelWindows, clock: StageClock) {
  return {
    contentFrames: windows.contentFrames,
    window: (seek: number, frames: number) => clock.time("cut", () => windows.window(seek, frames)),
    openingWindow: () => clock.time("cut", () => windows.openingWindow()),
    [Symbol.asyncDispose]: () => windows[Symbol.asyncDispose](),
  };
}

/** A recording whose chunks are freed when the next one is asked for. */
function usedOnce(recording: AudioSource): SampleSource {
  return {
    async open(signal) {
      const stream = await recording.open(signal);
      return {
        async *[Symbol.asyncIterator]() {
          for await (const chunk of stream) {
            yield chunk;
            release(chunk);
          }
        },
        [Symbol.asyncDispose]: () => stream[Symbol.asyncDispose](),
      };
    },
  };
}

/**
 * Aborted by `signal` at any time, and by `stop` until it is disposed of: while the recording is opened and read for
 * the first time there is no window to finish, and no result that a stop could leave.
 */
class OpeningSignal implements Disposable {
  readonly signal: AbortSignal;
  readonly #stop: AbortSignal | undefined;
  readonly #controller = new AbortController();
  readonly #onStop = (): void => this.#controller.abort();

  constructor(signal: AbortSignal | undefined, stop: AbortSignal | undefined) {
    this.signal = AbortSignal.any([this.#controller.signal, ...(signal === undefined ? [] : [signal])]);
    this.#stop = stop;
    if (stop?.aborted) this.#onStop();
    stop?.addEventListener("abort", this.#onStop);
  }

  [Symbol.dispose](): void {
    this.#stop?.removeEventListener("abort", this.#onStop);
  }
}

function reportOf(
  clock: StageClock,
  audio: number,
  { device, encoder, decoder }: Pick<TranscriptionParts, "device" | "encoder" | "decoder">,
): Omit<RunReport, "windows" | "isComplete" | "warnings"> {
  const total = clock.seconds("open") + clock.seconds("windows");
  // Windows are cut, encoded and decoded in turn; what is neither cutting nor encoding is decoding.
  const encoding = clock.seconds("encoder");
  const decoding = Math.max(0, clock.seconds("windows") - clock.seconds("cut") - encoding);
  return {
    device: device.name,
    description: device.description,
    arithmetic: { encoder: encoder.arithmetic, decoder: decoder.arithmetic },
    seconds: { audio, total, mel: total - encoding - decoding, encoder: encoding, decoder: decoding },
    realTimeFactor: total > 0 ? audio / total : 0,
  };
}

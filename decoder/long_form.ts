/**
 * A whole recording, window after window: each begins where the last timestamp of the one before it lies.
 *
 * @module
 */

import type { LoadedDecoder } from "../kernels/device.ts";
import { WindowDecoder, type WindowResult } from "./decode.ts";
import { decodeWithFallback, isSilence, widestOf } from "./fallback.ts";
import { promptRoom, warnOfLongPrompts } from "./initial_tokens.ts";
import { nextPlace } from "./clips.ts";
import type { LanguageDetection } from "./language.ts";
import { voteOnLanguage } from "./language_vote.ts";
import { withoutLoop } from "./loops.ts";
import type { ResolvedTranscribeOptions, RunControls, TranscribeOptions } from "./options.ts";
import { randomOfWindow } from "./random.ts";
import { resolveTranscribeOptions } from "./resolve_options.ts";
import { clearEmpty, cutWindow, FRAMES_PER_WINDOW, type Segment } from "./segments.ts";
import { throwIfAborted } from "./token_search.ts";
import type { Tokenizer } from "./tokenizer.ts";
import { warnOfTranslatedWords, WordTimer } from "./words/mod.ts";

/** The log-mel of a recording, handed out a window at a time. */
export interface MelWindows {
  /** Frames (10 ms) that hold audio. */
  readonly contentFrames: number;
  /**
   * A window of the log-mel.
   *
   * @param seek First frame; never decreases from call to call.
   * @param frames How many frames from there on are wanted, 1…3000, within the content; the others are 0.
   * @returns F32 [n_mels, 3000].
   */
  window(seek: number, frames: number): Promise<Float32Array<ArrayBuffer>>;
  /**
   * What the language is detected on: the first 3000 frames, where frames after the content are the log-mel of
   * silence and not 0. Default: `window(0, …)`, which differs for recordings under 30 s. Called first.
   *
   * @returns F32 [n_mels, 3000].
   */
  openingWindow?(): Promise<Float32Array<ArrayBuffer>>;
  /**
   * Whether somebody speaks between two frames; windows without speech do not count for the language. Default: all
   * hold speech.
   */
  holdsSpeech?(seek: number, frames: number): boolean | Promise<boolean>;
  /** A second reading from the start, to look ahead for the language. Without it only the first window is heard. */
  again?(): MelWindows & AsyncDisposable;
}

/** A Whisper, ready to run. */
export interface TranscriptionModel {
  /**
   * F32 [n_mels, 3000] to F32 [n_audio_ctx, n_audio_state].
   *
   * @param options `place`: which frames these are, for messages.
   */
  encode(
    mel: Float32Array<ArrayBuffer>,
    options?: {
      readonly signal?: AbortSignal;
      readonly place?: { readonly seek: number; readonly frames: number };
    },
  ): Promise<Float32Array<ArrayBuffer>>;
  /** The network that writes. */
  readonly decoder: LoadedDecoder;
  /** Its vocabulary. */
  readonly tokenizer: Tokenizer;
  /** Heads of the cross-attention that follow the audio in time; word times need them. */
  readonly alignmentHeads: readonly (readonly [layer: number, head: number])[];
}

/** What the segments come to. */
export interface TranscriptSummary {
  /** All text; not stripped. */
  readonly text: string;
  /** Code of the language, given or detected; null where there was no audio to detect it from. */
  readonly language: string | null;
  /** What was detected; of the first window where each has a language of its own; null where it was given. */
  readonly detection: LanguageDetection | null;
  /** False if `stop` ended the work before the recording's end. */
  readonly isComplete: boolean;
}

/**
 * Transcribes a recording as openai-whisper's `transcribe()` does.
 *
 * @returns Yields segments as their window is done, and returns the summary.
 * @throws {SottoError} E_OPTION before anything runs if an option is unknown or out of range; E_ABORTED.
 */
export async function* transcribeWindows(
  windows: MelWindows,
  model: TranscriptionModel,
  options: TranscribeOptions & RunControls = {},
): AsyncGenerator<Segment, TranscriptSummary> {
  const contextLength = model.decoder.dims.n_text_ctx;
  const resolved = resolveTranscribeOptions(options, { tokenizer: model.tokenizer, contextLength });
  warnOfLongPrompts(resolved, contextLength, options);
  warnOfTranslatedWords(resolved, options);
  return yield* run(windows, model, resolved, options);
}

async function* run(
  windows: MelWindows,
  model: TranscriptionModel,
  options: ResolvedTranscribeOptions,
  controls: RunControls,
): AsyncGenerator<Segment, TranscriptSummary> {
  const { signal, stop, onProgress } = controls;
  const { contentFrames } = windows;
  const { tokenizer, decoder: { dims } } = model;
  const history = new PromptHistory(options, promptRoom(dims.n_text_ctx));
  const framesPerStep = FRAMES_PER_WINDOW / dims.n_audio_ctx;
  let { language } = options;
  let detection: LanguageDetection | null = null;
  let count = 0;
  let seek = 0;
  const { onWindow, resumeFrom = [] } = controls;
  using decoder = contentFrames > 0 ? new WindowDecoder(model, widestOf(options)) : null;
  const timer = options.words && decoder && new WordTimer({
    tokenizer,
    framesPerStep,
    contentFrames,
    align: (tokens, options) => decoder.align(tokens, model.alignmentHeads, { ...options, signal }),
  }, options.words);
  const encodeInto = async (
    decoder: WindowDecoder,
    mel: Float32Array<ArrayBuffer>,
    place?: { seek: number; frames: number },
  ) => await decoder.setFeatures(await model.encode(mel, { signal, place }), signal);
  for (const window of resumeFrom) {
    seek = window.nextSeek;
    count += window.segments.length;
    history.add(window.segments, window.startsAfresh);
    ({ language, detection } = window);
    if (timer && window.words) timer.state = window.words;
    yield* window.segments;
  }
  if (decoder && resumeFrom.length === 0 && looksAhead(windows, options)) {
    await using ahead = windows.again!();
    const detect = async (mel: Float32Array<ArrayBuffer>) => {
      throwIfAborted(signal);
      await encodeInto(decoder, mel);
      return await decoder.detectLanguage(signal);
    };
    const { languageDetectionSegments: voters, languageDetectionThreshold: threshold } = options;
    detection = await voteOnLanguage(ahead, { voters, threshold, detect });
    language = detection.language;
  }
  let place = nextPlace(options.clips, seek, contentFrames);
  for (; decoder && place && !stop?.aborted; place = nextPlace(options.clips, seek, contentFrames)) {
    throwIfAborted(signal);
    seek = place.seek;
    const frames = Math.min(FRAMES_PER_WINDOW, place.room);
    const detects = language === null || options.multilingual;
    // A short recording's opening window is not its first one: openai-whisper detects on the silence that follows
    // as well, and decodes with zeros there.
    const opens = detects && seek === 0 && frames < FRAMES_PER_WINDOW && windows.openingWindow !== undefined;
    const mel = opens ? await windows.openingWindow!() : await windows.window(seek, frames);
    await encodeInto(decoder, mel, { seek, frames });
    if (detects) {
      const heard = await decoder.detectLanguage(signal);
      detection ??= heard;
      language = heard.language;
    }
    if (opens) await encodeInto(decoder, await windows.window(seek, frames), { seek, frames });
    const written = await decodeWithFallback(decoder, { ...options, language, prompt: history.prompt() }, {
      random: randomOfWindow(options.seed, seek),
      signal,
    });
    const result = withoutLoop(written, options.loopThreshold, tokenizer);
    let nextSeek = seek + frames;
    let segments: readonly Segment[] = [];
    if (!isSilence(result, options)) {
      const window = { seek, frames, result };
      const cut = cutWindow(window, { tokenizer, framesPerStep, firstId: count });
      const timed = await timer?.time(window, cut, options.task);
      segments = timed?.segments ?? cut.segments.map(clearEmpty);
      if (options.multilingual) {
        segments = segments.map((segment) => ({ ...segment, language: result.language }));
      }
      nextSeek = (timed ?? cut).nextSeek;
      count += segments.length;
      if (!timed?.isRetried) history.add(segments, result !== written || isHot(result));
    }
    seek = nextSeek;
    await onWindow?.({
      nextSeek,
      segments,
      startsAfresh: history.isEmpty,
      language,
      detection,
      words: timer ? timer.state : null,
    });
    yield* segments;
    onProgress?.({ framesDone: Math.min(seek, contentFrames), framesTotal: contentFrames });
  }
  return {
    text: tokenizer.decode(history.written),
    language: detection?.language ?? language,
    detection,
    isComplete: place === null,
  };
}

/** Whether the language is asked of other windows than the first, before the first is decoded. */
function looksAhead(
  windows: MelWindows,
  { language, multilingual, languageDetectionSegments }: ResolvedTranscribeOptions,
): boolean {
  if (language !== null || multilingual) return false;
  return windows.again !== undefined && (languageDetectionSegments > 1 || windows.holdsSpeech !== undefined);
}

/** Text written hotter than this is not shown to the next window (openai-whisper, `transcribe`). */
const HOTTEST_PROMPT = 0.5;

function isHot({ temperature }: WindowResult): boolean {
  return temperature > HOTTEST_PROMPT;
}

/** The tokens written so far, and which of them the next window is shown. */
class PromptHistory {
  readonly #initial: readonly number[];
  readonly #carryRoom: number | null;
  readonly #condition: boolean;
  readonly #tokens: number[];
  #resetSince = 0;

  constructor(options: ResolvedTranscribeOptions, room: number) {
    this.#initial = options.initialPrompt;
    this.#carryRoom = options.carryInitialPrompt ? room - this.#initial.length : null;
    this.#condition = options.conditionOnPreviousText;
    this.#tokens = [...this.#initial];
  }

  /** Everything written, the initial prompt left out. */
  get written(): readonly number[] {
    return this.#tokens.slice(this.#initial.length);
  }

  prompt(): readonly number[] {
    if (this.#carryRoom === null) return this.#tokens.slice(this.#resetSince);
    const written = this.#tokens.slice(Math.max(this.#initial.length, this.#resetSince));
    return [...this.#initial, ...written.slice(-this.#carryRoom)];
  }

  /** Whether nothing of the text so far is shown to the next window, the initial prompt aside. */
  get isEmpty(): boolean {
    return this.#resetSince === this.#tokens.length;
  }

  /** Adds a window's text; with `startsAfresh`, none so far will be shown again. */
  add(segments: readonly Segment[], startsAfresh: boolean): void {
    for (const { tokens } of segments) this.#tokens.push(...tokens);
    if (!this.#condition || startsAfresh) this.#resetSince = this.#tokens.length;
  }
}

/**
 * Live audio to captions while it is spoken, and to the transcript of a file at its end.
 *
 * @module
 */

import {
  resolveTranscribeOptions,
  type RunControls,
  type Segment,
  type TranscribeOptions,
  type TranscriptText,
} from "../decoder/mod.ts";
import { SottoError } from "../errors.ts";
import { SAMPLE_RATE } from "../mel/mod.ts";
import type { TranscriptionParts } from "../transcribe.ts";
import { ClosingTranscript } from "./closing_transcript.ts";
import { type LiveUpdate, LONGEST_PHRASE, PhraseReader } from "./phrase_reader.ts";
import { ReadAhead } from "./read_ahead.ts";

/**
 * Options of live transcription: of captions, and those of a file for the closing transcript. Captions take of the latter
 * `task`, `language`, `hotwords`, `suppressTokens`, `suppressBlank` and `initialPrompt`, which stands before every phrase.
 */
export interface LiveOptions
  extends
    Omit<TranscribeOptions, "prefix" | "clipTimestamps" | "multilingual" | "languageDetectionSegments">,
    Pick<RunControls, "signal" | "stop" | "onWarning"> {
  /** Seconds of new audio after which it is read again, 0.1…10; default 0.5. */
  readonly interval?: number;
  /** Seconds of silence that finish a phrase, 0.2…5; default 0.7. */
  readonly pause?: number;
  /** Read all of it as a file too; default true. Without, the transcript is the captions. */
  readonly closing?: boolean;
}

/** What was heard. */
export interface LiveTranscript extends TranscriptText {
  /** What was shown for good: the updates' committed text in a row, and their phrases. */
  readonly captions: Pick<TranscriptText, "text" | "segments">;
}

/** As much is read ahead where the reader is slow. */
const READ_AHEAD = 30 * SAMPLE_RATE;

/**
 * Transcribes live audio.
 *
 * Captions come while it is spoken; what is committed never changes. The transcript at the end is the one that a file of
 * the same samples has: other words may stand there than in the captions, for a file is read in longer windows.
 *
 * Memory does not grow but by the text: at most 30 s of samples wait and 25 s are worked on; for the closing
 * transcript a minute waits at most, and the log-mel of the latest five minutes is kept (10 MB). A source that is faster than the transcription has to wait then.
 *
 * @param samples F32, 16 kHz, one channel, −1…1, in chunks of any size.
 * @returns Yields an update after each reading, and returns the transcript.
 * @throws {SottoError} E_OPTION before anything is read; E_AUDIO_VALUES; E_ABORTED.
 */
export async function* transcribeStream(
  parts: TranscriptionParts,
  samples: AsyncIterable<Float32Array>,
  options: LiveOptions = {},
): AsyncGenerator<LiveUpdate, LiveTranscript> {
  const { interval = 0.5, pause = 0.7, closing = true, stop, ...ofFile } = options;
  checkTimes({ interval, pause });
  const contextLength = parts.decoder.dims.n_text_ctx;
  resolveTranscribeOptions(ofFile, { tokenizer: parts.tokenizer, contextLength });
  using reader = new PhraseReader(parts, options);
  await using file = closing ? new ClosingTranscript(parts, ofFile) : null;
  await using source = new ReadAhead(samples, READ_AHEAD);
  const step = Math.round(interval * SAMPLE_RATE);
  const segments: Segment[] = [];
  let text = "";
  let isOver = false;
  while (!isOver) {
    const room = LONGEST_PHRASE - reader.length;
    const taken = await source.take(Math.min(step, room), room, options);
    isOver = taken.length < Math.min(step, room) || stop?.aborted === true;
    await file?.push(taken);
    reader.append(taken);
    for (const update of await reader.read(pause, isOver)) {
      text += update.committed;
      if (update.segment) segments.push({ ...update.segment, id: segments.length });
      yield update.segment ? { ...update, segment: segments.at(-1)! } : update;
    }
  }
  const captions = { text, segments };
  const transcript = await file?.finish() ?? { ...captions, language: reader.language };
  return { ...transcript, captions };
}

function checkTimes({ interval, pause }: { readonly interval: number; readonly pause: number }): void {
  const refuse = (name: string, rule: string, value: unknown): never => {
    throw new SottoError(
      "E_OPTION",
      `Cannot use the options: ${name} must be seconds of ${rule}; got ${value}`,
    );
  };
  if (!(interval >= 0.1 && interval <= 10)) refuse("interval", "0.1…10", interval);
  if (!(pause >= 0.2 && pause <= 5)) refuse("pause", "0.2…5", pause);
}

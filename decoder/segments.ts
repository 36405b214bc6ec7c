/**
 * Cuts what was written for a window into segments, by its timestamps.
 *
 * @module
 */

import type { WindowResult } from "./decode.ts";
import type { Tokenizer } from "./tokenizer.ts";
import { strip } from "./whitespace.ts";
import type { Word } from "./words/word.ts";

/** Samples a second, samples a mel frame, and both together. */
const SAMPLE_RATE = 16_000;
const HOP_SAMPLES = 160;

/** Frames of a window: 30 s. */
export const FRAMES_PER_WINDOW = 3000;

/** A stretch of a recording and what is said in it; plain data. */
export interface Segment {
  /** Counts from 0 over the recording. */
  readonly id: number;
  /** Frame (10 ms) at which the window begins that it was decoded in. */
  readonly seek: number;
  /** Seconds from the start of the recording. */
  readonly start: number;
  /** Seconds from the start of the recording. */
  readonly end: number;
  /** With the space that precedes it; empty where the segment was cleared. */
  readonly text: string;
  /** Text and timestamp tokens; empty where the segment was cleared. */
  readonly tokens: readonly number[];
  /** Code of the window's language; present where each window has its own (`multilingual`). */
  readonly language?: string;
  /** Of the whole window. */
  readonly temperature: number;
  /** Of the whole window. */
  readonly avgLogprob: number;
  /** Of the whole window. */
  readonly compressionRatio: number;
  /** Of the whole window. */
  readonly noSpeechProb: number;
  /**
   * In order; present where word times were asked for. Also present, and empty, where the segment was cleared, as in
   * openai-whisper's results.
   */
  readonly words?: readonly Word[];
}

/** Seconds of a number of mel frames, computed in openai-whisper's order of operations. */
export function framesToSeconds(frames: number): number {
  return (frames * HOP_SAMPLES) / SAMPLE_RATE;
}

/** A window that was decoded. */
export interface DecodedWindow {
  /** Its first frame. */
  readonly seek: number;
  /** Its frames that hold audio, at most 3000. */
  readonly frames: number;
  /** What was written for it. */
  readonly result: WindowResult;
}

/** The segments of a window, and where the next window begins. */
export interface CutWindow {
  /** In order. */
  readonly segments: readonly Segment[];
  /** Frame; above `seek` of the window. */
  readonly nextSeek: number;
  /** Whether the window ends with a single timestamp: nothing is said after it. */
  readonly endsWithOneTime: boolean;
}

/** What cutting needs to know of the model. */
export interface CutOptions {
  /** The vocabulary. */
  readonly tokenizer: Tokenizer;
  /** Mel frames per timestamp step: 2. */
  readonly framesPerStep: number;
  /** Id of the first segment. */
  readonly firstId: number;
}

/**
 * Cuts a window's tokens between every two timestamps that follow each other.
 *
 * Where the text goes on after the last such pair, the segment is unfinished: it is dropped and the next window
 * begins at the pair. Where it ends with a single timestamp, nothing is said after it and the whole window is
 * done. Without any pair, all is one segment.
 */
export function cutWindow(window: DecodedWindow, options: CutOptions): CutWindow {
  const { seek, frames, result } = window;
  const { tokens } = result;
  const { timestampBegin } = options.tokenizer.special;
  const isTime = (token: number | undefined) => token !== undefined && token >= timestampBegin;
  const offset = framesToSeconds(seek);
  const stepSeconds = framesToSeconds(options.framesPerStep);
  const segments: Segment[] = [];
  const add = (start: number, end: number, part: readonly number[]) =>
    segments.push(
      segment(window, { id: options.firstId + segments.length, start, end, tokens: part }, options.tokenizer),
    );

  const endsWithOneTime = isTime(tokens.at(-1)) && tokens.length >= 2 && !isTime(tokens.at(-2));
  const cuts: number[] = [];
  for (let i = 1; i < tokens.length; i++) if (isTime(tokens[i - 1]) && isTime(tokens[i])) cuts.push(i);

  if (cuts.length === 0) {
    const last = tokens.findLast(isTime);
    const timed = last !== undefined && last !== timestampBegin;
    add(offset, offset + (timed ? (last - timestampBegin) * stepSeconds : framesToSeconds(frames)), tokens);
    return { segments, nextSeek: seek + frames, endsWithOneTime };
  }

  if (endsWithOneTime) cuts.push(tokens.length);
  let from = 0;
  for (const to of cuts) {
    const start = offset + (tokens[from] - timestampBegin) * stepSeconds;
    const end = offset + (tokens[to - 1] - timestampBegin) * stepSeconds;
    add(start, end, tokens.slice(from, to));
    from = to;
  }
  const steps = tokens[from - 1] - timestampBegin;
  // Under the timestamp rules a pair lies after 0; without them a model may repeat <|0.00|>, and going nowhere would never end.
  const advance = endsWithOneTime || steps === 0 ? frames : steps * options.framesPerStep;
  return { segments, nextSeek: seek + advance, endsWithOneTime };
}

function segment(
  { seek, result }: DecodedWindow,
  part: Pick<Segment, "id" | "start" | "end" | "tokens">,
  tokenizer: Tokenizer,
): Segment {
  const { eot } = tokenizer.special;
  return {
    id: part.id,
    seek,
    start: part.start,
    end: part.end,
    text: tokenizer.decode(part.tokens.filter((token) => token < eot)),
    tokens: part.tokens,
    temperature: result.temperature,
    avgLogprob: result.avgLogprob,
    compressionRatio: result.compressionRatio,
    noSpeechProb: result.noSpeechProb,
  };
}

/** The segment; without text, tokens and words where it has no length or says nothing. */
export function clearEmpty<S extends Segment>(segment: S): S {
  const isEmpty = segment.start === segment.end || strip(segment.text) === "";
  return isEmpty ? { ...segment, text: "", tokens: [], words: [] } : segment;
}

/**
 * The audio of a transcript's segments, read again when the transcript is shown.
 *
 * @module
 */

import { type AudioInput, openAudio } from "../audio/mod.ts";
import { SAMPLE_RATE } from "../mel/constants.ts";

/** A stretch of a recording, in seconds. */
export interface Stretch {
  readonly start: number;
  readonly end: number;
}

/** What is played of a recording, and what is not. */
export interface Clips {
  /** For each stretch its samples, F32 16 kHz; null where there are none. */
  readonly samples: readonly (Float32Array<ArrayBuffer> | null)[];
  /** Why some are null, in one sentence; empty if none is. */
  readonly missing: string;
}

/** A notebook keeps what it shows: 3 minutes are 8 MB of it. */
const MOST_SECONDS = 180;

/**
 * Cuts stretches out of a recording, reading no further than it has to.
 *
 * A stream cannot be read twice and a web address is not fetched twice: they give nothing.
 */
export async function clipAudio(audio: AudioInput, stretches: readonly Stretch[]): Promise<Clips> {
  const none = (missing: string): Clips => ({ samples: stretches.map(() => null), missing });
  if (audio instanceof ReadableStream) return none("No players: a stream can be read only once.");
  if (/^https?:/i.test(String(audio instanceof URL || typeof audio === "string" ? audio : ""))) {
    return none("No players: the recording is on the web; fetch it and give its bytes to hear it here.");
  }
  const until = Math.min(MOST_SECONDS, Math.max(0, ...stretches.map(({ end }) => end)));
  let heard: Float32Array<ArrayBuffer>;
  try {
    heard = await readUntil(audio, until);
  } catch (error) {
    return none(`No players: ${(error as Error).message}.`);
  }
  const samples = stretches.map(({ start, end }) =>
    end > MOST_SECONDS || start >= end ? null : stretchOf(heard, start, end)
  );
  const isLong = stretches.some(({ end }) => end > MOST_SECONDS);
  return { samples, missing: isLong ? `Players for the first ${MOST_SECONDS / 60} minutes only.` : "" };
}

async function readUntil(audio: AudioInput, seconds: number): Promise<Float32Array<ArrayBuffer>> {
  const source = await openAudio(audio);
  await using stream = await source.open();
  const samples = new Float32Array(Math.ceil(seconds * SAMPLE_RATE));
  let filled = 0;
  for await (const chunk of stream) {
    const part = chunk.subarray(0, samples.length - filled);
    samples.set(part, filled);
    filled += part.length;
    if (filled === samples.length) break;
  }
  return samples.subarray(0, filled);
}

/** Null where the recording ends before the stretch begins: a decoder may write times that lie behind the end. */
function stretchOf(
  heard: Float32Array<ArrayBuffer>,
  start: number,
  end: number,
): Float32Array<ArrayBuffer> | null {
  const samples = heard.slice(Math.floor(start * SAMPLE_RATE), Math.ceil(end * SAMPLE_RATE));
  return samples.length === 0 ? null : samples;
}

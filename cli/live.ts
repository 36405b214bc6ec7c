/**
 * Samples from a pipe: phrases on standard output as they are finished, what is being said on the terminal.
 *
 * @module
 */

import { type SubtitleOptions, type TranscriptText, writeTranscript } from "../decoder/mod.ts";
import { SottoError } from "../errors.ts";
import type { LiveOptions, LiveUpdate } from "../live/mod.ts";
import { splitOptions, type TranscriptionOptions } from "../transcription_options.ts";
import type { WhisperModel } from "../whisper_model.ts";
import type { ParsedArguments } from "./arguments.ts";
import { type OutputTarget, writeWhole } from "./output_files.ts";
import { segmentLine } from "./segment_line.ts";
import type { StandardOutput } from "./standard_output.ts";

/** What live audio is transcribed with and where to. */
export interface LiveJob {
  readonly options: TranscriptionOptions;
  readonly targets: readonly OutputTarget[];
  readonly subtitles: SubtitleOptions;
  /** Ends it; what was said until then is finished. */
  readonly stop: AbortSignal;
  /** Print phrases as they come. */
  readonly verbose: boolean;
}

/** Options that need a recording as a whole. */
const OF_RECORDINGS: readonly string[] = [
  "vad_filter",
  "vad_model",
  "batch_size",
  "resume",
  "multilingual",
  "prefix",
];

/**
 * Refuses what live audio cannot have.
 *
 * @throws {SottoError} E_OPTION if files are named, or an option needs the whole recording.
 */
export function checkLive({ values, files }: ParsedArguments): void {
  if (files.length > 0) {
    throw new SottoError("E_OPTION", `--stdin_pcm reads standard input alone: got ${files.join(" ")}`);
  }
  const given = OF_RECORDINGS.find((name) => (values.get(name) ?? false) !== false);
  if (given !== undefined || values.get("clip_timestamps") !== "0") {
    throw new SottoError("E_OPTION", `--${given ?? "clip_timestamps"} needs a recording, not --stdin_pcm`);
  }
}

/**
 * Transcribes standard input, 16-bit little-endian samples of one channel at 16 kHz, and writes the outputs.
 *
 * @returns null if nobody reads standard output any more and no file is wanted.
 * @throws {SottoError} As `transcribeStream()` and `writeWhole()`.
 */
export async function transcribeLive(
  model: WhisperModel,
  { options, targets, subtitles, stop, verbose }: LiveJob,
  out: StandardOutput,
): Promise<TranscriptText | null> {
  const line = new OpenLine();
  const updates = model.transcribeStream(pcm16(Deno.stdin.readable), { ...liveOptions(options), stop });
  try {
    let step = await updates.next();
    for (; !step.done; step = await updates.next()) {
      line.clear();
      const { segment } = step.value;
      if (segment && verbose) out.line(segmentLine(segment));
      if (out.isClosed && targets.length === 0) return null;
      line.update(step.value);
    }
    line.clear();
    for (const { format, path } of targets) {
      const spell = (token: number) => model.tokenizer.decodeWithTimestamps([token]);
      await writeWhole(path, writeTranscript(step.value, format, { ...subtitles, spell }));
    }
    return step.value;
  } finally {
    line.clear();
  }
}

/** What of the command's options live audio has: `checkLive()` has refused the others. */
function liveOptions(options: TranscriptionOptions): LiveOptions {
  const {
    prefix: _prefix,
    clipTimestamps: _clips,
    multilingual: _multilingual,
    languageDetectionSegments: _segments,
    ...live
  } = splitOptions(options).decoding;
  return live;
}

/** The phrase in progress, on the terminal alone. */
class OpenLine {
  readonly #isShown = Deno.stderr.isTerminal();
  #certain = "";

  update({ committed, partial, segment }: LiveUpdate): void {
    this.#certain = segment ? "" : this.#certain + committed;
    const text = this.#certain + partial;
    if (this.#isShown && text !== "") this.#write(`… ${text.trim().slice(-100)}`);
  }

  clear(): void {
    if (this.#isShown) this.#write("\r\x1b[2K");
  }

  #write(text: string): void {
    try {
      Deno.stderr.writeSync(new TextEncoder().encode(text));
    } catch {
      // A terminal that went away takes nothing of the work with it.
    }
  }
}

/** Bytes of 16-bit samples as samples of −1…1; half a sample at the end is dropped. */
export async function* pcm16(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Float32Array<ArrayBuffer>> {
  let low: number | null = null; // the first half of a sample
  for await (const chunk of bytes) {
    const all: Uint8Array = low === null ? chunk : withFirst(low, chunk);
    const view = new DataView(all.buffer, all.byteOffset, all.byteLength);
    const samples = new Float32Array(all.length >> 1);
    for (let i = 0; i < samples.length; i++) samples[i] = view.getInt16(2 * i, true) / 32768;
    low = all.length % 2 === 1 ? all[all.length - 1] : null;
    yield samples;
  }
}

function withFirst(byte: number, bytes: Uint8Array): Uint8Array {
  const all = new Uint8Array(bytes.length + 1);
  all[0] = byte;
  all.set(bytes, 1);
  return all;
}

/**
 * Formats without a decoder here, through the `ffmpeg` program.
 *
 * @module
 */

import { resolve } from "node:path";
import { SottoError } from "../errors.ts";
import type { ByteSource } from "./byte_reader.ts";
import { throwIfAborted } from "../abort.ts";
import { type NativeAudio, type ReadContext, SAMPLE_RATE } from "./types.ts";

/**
 * What ffmpeg may read a file as. Playlists (HLS, concat, DASH) are left out: they name other files, which
 * ffmpeg would open with permissions that Deno never granted.
 */
const DEMUXERS =
  "mov,matroska,webm,aac,ac3,eac3,aiff,amr,ape,asf,au,avi,caf,dts,flac,flv,mp3,mpeg,mpegts,ogg,tta,w64,wav,wv";

const MAX_COMPLAINT_BYTES = 4096;

/**
 * Refuses early where ffmpeg is not to be used or not permitted.
 *
 * @param container What the file is, for the message.
 * @throws {SottoError} E_AUDIO_FORMAT where it is off, E_PERMISSION where it is not permitted.
 */
export async function checkFfmpeg(program: string | null, container: string, name: string): Promise<void> {
  const action = `Cannot read ${name} because ${container} needs ffmpeg`;
  if (program === null) {
    throw new SottoError("E_AUDIO_FORMAT", `${action}: got ffmpeg switched off`, { hint: CONVERT_HINT });
  }
  const permission = await Deno.permissions.query({ name: "run", command: program });
  if (permission.state !== "granted") {
    throw new SottoError("E_PERMISSION", `${action}, and running it is not permitted`, {
      hint: `Run again with --allow-run=${program}. Or: ${CONVERT_HINT}`,
    });
  }
}

const CONVERT_HINT = "Convert the recording to WAV, FLAC, MP3 or Ogg.";

/**
 * Decodes with ffmpeg, which mixes and resamples too. A file is given by its path, so that ffmpeg can seek;
 * bytes through a pipe, which ffmpeg keeps in a temporary file of its own.
 *
 * @param program The executable.
 */
export function openFfmpeg(
  source: ByteSource,
  container: string,
  program: string,
  context: ReadContext,
): NativeAudio {
  const info = { container, codec: null, sampleRate: null, channels: null, durationSeconds: null };
  const chunks = () => decode(source, container, program, context);
  return { info, rate: SAMPLE_RATE, chunks: { [Symbol.asyncIterator]: chunks } };
}

async function* decode(
  source: ByteSource,
  container: string,
  program: string,
  context: ReadContext,
): AsyncGenerator<Float32Array<ArrayBuffer>, void, void> {
  const { name } = source;
  const process = spawn(source, container, program);
  const complaint = collect(process.stderr);
  const feeding = source.path === null ? feed(process.stdin, source) : Promise.resolve();
  const watch = new Watch(context, () => kill(process));
  let samples = 0;
  try {
    const reader = process.stdout.getReader();
    const words = new WordAligner();
    while (true) {
      watch.restart();
      const { value, done } = await reader.read();
      watch.stop();
      watch.throwIfEnded(name);
      if (done) break;
      const chunk = words.push(value);
      samples += chunk.length;
      if (chunk.length > 0) yield chunk;
    }
  } finally {
    watch.stop();
    kill(process);
    await Promise.allSettled([feeding, process.status, complaint]);
  }
  const { success } = await process.status;
  const said = await complaint;
  if (!success || (samples === 0 && said !== "")) {
    throw new SottoError(
      "E_AUDIO_DECODE",
      `Cannot decode ${name} (${container}) because ffmpeg says: ${said || "nothing"}`,
      {
        hint: CONVERT_HINT,
      },
    );
  }
  if (said !== "") context.warn({ code: "W_DAMAGED", message: `${name}: ffmpeg says: ${said}` });
}

function spawn(source: ByteSource, container: string, program: string): Deno.ChildProcess {
  const piped = source.path === null;
  const input = piped ? "cache:pipe:0" : `file:${resolve(source.path!)}`;
  const protocols = piped ? "cache,pipe" : "file";
  // deno-fmt-ignore
  const args = [
    ...(piped ? [] : ["-nostdin"]), "-hide_banner", "-loglevel", "repeat+error",
    "-protocol_whitelist", protocols, "-format_whitelist", DEMUXERS, "-i", input,
    "-map", "0:a:0", "-ac", "1", "-ar", `${SAMPLE_RATE}`, "-f", "f32le", "-protocol_whitelist", "pipe", "pipe:1",
  ];
  try {
    const stdin = piped ? "piped" : "null";
    return new Deno.Command(program, { args, stdin, stdout: "piped", stderr: "piped" }).spawn();
  } catch (error) {
    const found = error instanceof Deno.errors.NotFound ? `no ${program}` : (error as Error).message;
    throw new SottoError(
      "E_AUDIO_FORMAT",
      `Cannot read ${source.name} because ${container} needs ffmpeg: got ${found}`,
      {
        hint: `Install ffmpeg. Or: ${CONVERT_HINT}`,
        cause: error,
      },
    );
  }
}

async function feed(stdin: WritableStream<Uint8Array<ArrayBuffer>>, source: ByteSource): Promise<void> {
  using reader = await source.open();
  const writer = stdin.getWriter();
  try {
    while (true) {
      const bytes = await reader.read(1 << 16);
      if (bytes.length === 0) break;
      await writer.write(bytes.slice());
    }
    await writer.close();
  } catch {
    // ffmpeg has ended and closed its side; its status tells the rest
  }
}

/** The last words of ffmpeg in one line. */
async function collect(stderr: ReadableStream<Uint8Array>): Promise<string> {
  let text = "";
  for await (
    const part of stderr.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>)
  ) {
    text = (text + part).slice(-MAX_COMPLAINT_BYTES);
  }
  const lines = text.trim().split("\n").filter((line) => !line.startsWith("[cache @")); // "cannot seek": it is a pipe
  return (lines.at(-1) ?? "").replaceAll(/[^\x20-\x7e]/g, "?").replace(/^\[[^\]]*\]\s*/, "");
}

function kill(process: Deno.ChildProcess): void {
  try {
    process.kill("SIGKILL");
  } catch {
    // it has ended
  }
}

/** Ends the process when the caller aborts, or when it sends nothing for too long. */
class Watch {
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timedOut = false;

  constructor(readonly context: ReadContext, readonly end: () => void) {
    context.signal.addEventListener("abort", this.end, { once: true });
  }

  restart(): void {
    this.#timer = setTimeout(() => {
      this.#timedOut = true;
      this.end();
    }, this.context.timeoutSeconds * 1000);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  throwIfEnded(name: string): void {
    throwIfAborted(this.context.signal, `Reading ${name}`);
    if (!this.#timedOut) return;
    const seconds = this.context.timeoutSeconds;
    throw new SottoError(
      "E_AUDIO_TIMEOUT",
      `Cannot decode ${name} because ffmpeg sent nothing for ${seconds} s`,
    );
  }
}

/** Cuts bytes that arrive in any lengths into whole little-endian floats. */
class WordAligner {
  #rest: Uint8Array = new Uint8Array(0);

  push(bytes: Uint8Array): Float32Array<ArrayBuffer> {
    const joined = new Uint8Array(this.#rest.length + bytes.length);
    joined.set(this.#rest);
    joined.set(bytes, this.#rest.length);
    const whole = joined.length - joined.length % 4;
    this.#rest = joined.slice(whole);
    return new Float32Array(joined.buffer, 0, whole / 4);
  }
}

/**
 * The main thread's side of {@linkcode decoderWorker}: one question, one answer, within a time.
 *
 * @module
 */

import { SottoError } from "../errors.ts";
import {
  type DecoderModule,
  decoderWorker,
  type FromWorker,
  startWorker,
  type ToWorker,
} from "./decoder_worker.ts";
import { aborted, throwIfAborted } from "../abort.ts";
import type { ReadContext } from "./types.ts";

/** The decoders, pinned. Sizes and licences are in this folder's README. */
export const DECODERS = {
  flac: { specifier: "npm:@wasm-audio-decoders/flac@0.2.11", exportName: "FLACDecoder" },
  mpeg: { specifier: "npm:mpg123-decoder@1.0.3", exportName: "MPEGDecoder" },
  vorbis: { specifier: "npm:@wasm-audio-decoders/ogg-vorbis@0.1.20", exportName: "OggVorbisDecoder" },
  opus: { specifier: "npm:ogg-opus-decoder@1.7.5", exportName: "OggOpusDecoder" },
} as const satisfies Record<string, DecoderModule>;

/** A decoder in {@linkcode DECODERS}. */
export type DecoderName = keyof typeof DECODERS;

/** A piece of a file: a run of its bytes, or frames one by one. */
export type Piece = Uint8Array | readonly Uint8Array[];

/** What a decoder made of a piece. */
export interface DecodedPiece {
  /** F32 [samples], mixed to one channel. */
  readonly mono: Float32Array<ArrayBuffer>;
  /** What the decoder complained about, or null. */
  readonly complaint: string | null;
}

/** The stream a decoder works on, for its messages and checks. */
export interface DecoderTarget {
  readonly name: string;
  /** Samples a second that the container says. */
  readonly sampleRate: number;
}

/** A decoder in a worker. Disposing ends the worker, whatever it is doing. */
export class WorkerDecoder implements Disposable {
  readonly #worker: Worker;
  readonly #target: DecoderTarget;
  readonly #context: ReadContext;

  private constructor(worker: Worker, target: DecoderTarget, context: ReadContext) {
    this.#worker = worker;
    this.#target = target;
    this.#context = context;
  }

  /**
   * Starts the worker and loads the decoder into it; the first time ever that means a download by Deno.
   *
   * @param module The decoder.
   * @param program The worker's program; tests give others.
   * @throws {SottoError} E_DOWNLOAD if the decoder cannot be loaded, E_AUDIO_TIMEOUT, E_ABORTED.
   */
  static async load(
    module: DecoderModule,
    target: DecoderTarget,
    context: ReadContext,
    program: () => void = decoderWorker,
  ): Promise<WorkerDecoder> {
    throwIfAborted(context.signal, `Reading ${target.name}`);
    const decoder = new WorkerDecoder(startWorker(program), target, context);
    try {
      const answer = await decoder.#ask({ kind: "load", module });
      if (answer.kind === "ready") return decoder;
      const reason = answer.kind === "failed" ? answer.reason : "it answered out of turn";
      throw new SottoError(
        "E_DOWNLOAD",
        `Cannot load the decoder ${module.specifier} because ${firstLine(reason)}`,
        { hint: `${howToFetch(module.specifier, reason)} - or convert ${target.name} to WAV.` },
      );
    } catch (error) {
      decoder[Symbol.dispose]();
      throw error;
    }
  }

  /**
   * Decodes the next piece of the file.
   *
   * @param data U8 [any length], or frames; copied.
   * @throws {SottoError} E_AUDIO_DECODE, E_AUDIO_TIMEOUT, E_ABORTED.
   */
  async decode(data: Piece): Promise<DecodedPiece> {
    return this.#check(
      await this.#ask({ kind: "decode", data: data instanceof Uint8Array ? data.slice() : data }),
    );
  }

  /** What the decoder still held back at the end of the file. */
  async flush(): Promise<DecodedPiece> {
    return this.#check(await this.#ask({ kind: "flush" }));
  }

  /** Ends the worker. */
  [Symbol.dispose](): void {
    this.#worker.terminate();
  }

  /** Nothing a decoder says is believed: rates and channels of corrupt streams have been 0 and 35,952. */
  #check(answer: FromWorker): DecodedPiece {
    const { name, sampleRate } = this.#target;
    if (answer.kind !== "decoded") {
      const reason = answer.kind === "failed" ? answer.reason : "the decoder answered out of turn";
      throw undecodable(name, firstLine(reason));
    }
    if (answer.mono.length > 0 && answer.sampleRate !== sampleRate) {
      throw undecodable(name, `the rate must stay ${sampleRate} Hz: got ${answer.sampleRate}`);
    }
    return answer;
  }

  #ask(message: ToWorker): Promise<FromWorker> {
    const { signal, timeoutSeconds } = this.#context;
    const { name } = this.#target;
    return new Promise((resolve, reject) => {
      const settle = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", onAbort);
        this.#worker.onmessage = this.#worker.onerror = null;
      };
      const fail = (error: SottoError) => {
        settle();
        this.#worker.terminate();
        reject(error);
      };
      const onAbort = () => fail(aborted(signal, `Reading ${name}`));
      const timer = setTimeout(() => {
        fail(
          new SottoError(
            "E_AUDIO_TIMEOUT",
            `Cannot decode ${name} because its decoder did not answer for ${timeoutSeconds} s`,
            {
              hint: "The file may be damaged. Convert it to WAV or FLAC, or raise the time-out.",
            },
          ),
        );
      }, timeoutSeconds * 1000);
      signal.addEventListener("abort", onAbort, { once: true });
      this.#worker.onmessage = (event: MessageEvent<FromWorker>) => {
        settle();
        resolve(event.data);
      };
      this.#worker.onerror = (event) => {
        event.preventDefault();
        fail(undecodable(name, `its decoder died: ${firstLine(event.message)}`));
      };
      this.#worker.postMessage(message);
    });
  }
}

/** E_AUDIO_DECODE for a file. */
export function undecodable(name: string, reason: string): SottoError {
  return new SottoError("E_AUDIO_DECODE", `Cannot decode ${name} because ${reason}`, {
    hint: "The file is damaged. Get it again, or convert what is left of it with ffmpeg.",
  });
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0].trim();
}

/** Beside a package.json Deno takes what npm installed there, and fetches nothing itself. */
function howToFetch(specifier: string, reason: string): string {
  return reason.includes("node_modules")
    ? `Install it with: npm install ${specifier.replace("npm:", "")}`
    : `Fetch it once while online with: deno cache ${specifier}`;
}

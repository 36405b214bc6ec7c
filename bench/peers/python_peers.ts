/**
 * Peers in Python (tests/peers/): a process for each library, which encodes when a line asks it to. Threads and
 * allocators of one library so never meet those of another.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { SottoError } from "../../errors.ts";
import type { Arithmetic, EncoderPeer } from "./peer.ts";

const SCRIPT = fileURLToPath(new URL("../../tests/peers/peers.py", import.meta.url));

/** The libraries that the script knows. */
export const PYTHON_LIBRARIES: readonly string[] = ["openvino", "onnxruntime", "ctranslate2", "torch"];

/** What the script is started with. */
export interface PythonOptions {
  /** A Python that has the library. */
  readonly python: string;
  /** `model.safetensors` of the encoder, and the same as ONNX. */
  readonly encoder: string;
  readonly onnx: string;
  /** The log-mel, raw F32 [bands, 3000]. */
  readonly input: string;
  readonly threads: number;
  /** Folder for temporary files. */
  readonly work: string;
}

interface Hello {
  readonly peers: readonly { readonly name: string; readonly arithmetic: Arithmetic }[];
  readonly missing: readonly string[];
}

/** One library's process. */
export class PythonLibrary implements AsyncDisposable {
  readonly peers: readonly EncoderPeer[];
  readonly missing: readonly string[];
  readonly #child: Deno.ChildProcess;
  readonly #requests: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #answers: AsyncIterator<string>;

  private constructor(
    child: Deno.ChildProcess,
    answers: AsyncIterator<string>,
    hello: Hello,
    features: string,
  ) {
    this.#child = child;
    this.#requests = child.stdin.getWriter();
    this.#answers = answers;
    this.missing = hello.missing;
    this.peers = hello.peers.map(({ name, arithmetic }, peer) => ({
      name,
      arithmetic,
      time: async () => (await this.#ask<{ seconds: number }>({ peer })).seconds,
      features: async () => {
        await this.#ask({ peer, output: features });
        return new Float32Array((await Deno.readFile(features)).buffer);
      },
    }));
  }

  /**
   * Starts a library's process and waits until its encoders are ready.
   *
   * @throws {SottoError} E_OPTION if that Python cannot be started; E_DEVICE if the library fails in it.
   */
  static async start(library: string, options: PythonOptions): Promise<PythonLibrary> {
    const { python, encoder, onnx, input, threads, work } = options;
    let child: Deno.ChildProcess;
    try {
      child = new Deno.Command(python, {
        args: [
          ...[SCRIPT, library, "--encoder", encoder, "--onnx", onnx, "--input", input],
          ...["--threads", `${threads}`, "--work", work],
        ],
        stdin: "piped",
        stdout: "piped",
        stderr: "piped",
      }).spawn();
    } catch (cause) {
      throw new SottoError("E_OPTION", `Cannot start ${python}: ${(cause as Error).message}`, {
        hint: "Give --python the path of a Python with the libraries of tests/peers/README.md.",
        cause,
      });
    }
    const complaints = lastLines(child.stderr);
    const answers = lines(child.stdout);
    const first = await answers.next();
    if (first.done) throw await failed(library, child, complaints);
    return new PythonLibrary(child, answers, JSON.parse(first.value), join(work, `${library}.f32`));
  }

  async #ask<T>(request: { readonly peer: number; readonly output?: string }): Promise<T> {
    await this.#requests.write(new TextEncoder().encode(`${JSON.stringify(request)}\n`));
    const answer = await this.#answers.next();
    if (answer.done) {
      throw new SottoError(
        "E_OPTION",
        `Cannot go on with ${this.peers[request.peer].name}: its process ended`,
      );
    }
    return JSON.parse(answer.value);
  }

  /** Ends the process. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#requests.close();
    await this.#child.status;
  }
}

async function failed(
  library: string,
  child: Deno.ChildProcess,
  complaints: Promise<string>,
): Promise<SottoError> {
  await child.stdin.close();
  const { code } = await child.status;
  return new SottoError(
    "E_DEVICE",
    `Cannot run ${library} in Python: exit status ${code}: ${await complaints}`,
  );
}

async function* lines(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + text).split("\n");
    rest = parts.pop()!;
    yield* parts;
  }
}

/** The last line of a stream that says something; read to its end, so that its writer never waits. */
async function lastLines(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<string> {
  let last = "";
  for await (const line of lines(stream)) last = line.trim() || last;
  return last;
}

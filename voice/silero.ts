/**
 * Voice activity by Silero's network (github.com/snakers4/silero-vad, versions 5 and 6), from a file that the user names.
 *
 * @module
 */

import { SottoError } from "../errors.ts";
import { loadOnnxRuntime, type OnnxRuntime, type OnnxSession, type OnnxTensor } from "./onnx_runtime.ts";

/** Samples a second that the network is asked about; it knows 8,000 as well. */
const RATE = 16_000;
/** Samples (32 ms) that one probability is for, and those before them that the network sees too. */
const CHUNK = 512;
const CONTEXT = 64;
/** What the network remembers from chunk to chunk. */
const STATE_SHAPE: readonly number[] = [2, 1, 128];
/** Samples of a frame. */
const HOP = 160;
/** A probability of 1 among bytes. */
const CERTAIN = 255;

/** Takes a recording's samples as they are read; gives the probability that somebody speaks, frame by frame. */
export class SileroDetector implements AsyncDisposable {
  readonly #runtime: OnnxRuntime;
  readonly #session: OnnxSession;
  readonly #rate: OnnxTensor | null;
  readonly #input = new Float32Array(CONTEXT + CHUNK);
  #filled = CONTEXT;
  #state: OnnxTensor;
  #samples = 0;
  /** A byte a chunk: 112 kB an hour. */
  #bytes = new Uint8Array(1 << 12);
  #chunks = 0;

  private constructor(runtime: OnnxRuntime, session: OnnxSession) {
    this.#runtime = runtime;
    this.#session = session;
    this.#rate = session.inputNames.includes("sr")
      ? new runtime.Tensor("int64", BigInt64Array.of(BigInt(RATE)), [])
      : null;
    this.#state = this.#silentState();
  }

  /**
   * Loads the network, and tries it on silence.
   *
   * @param model Path or `file:` URL of an ONNX file: `input` F32 [1, 576] and `state` F32 [2, 1, 128], and `sr` if it has
   * that; `output` F32 [1, 1] and `stateN` F32 [2, 1, 128].
   * @throws {SottoError} E_INPUT if it is missing or a folder; E_PERMISSION; E_MODEL_FORMAT if it is not ONNX,
   * E_MODEL_MISMATCH if it is another network; E_DOWNLOAD if ONNX Runtime cannot be had.
   */
  static async open(model: string | URL): Promise<SileroDetector> {
    const bytes = await readModel(model);
    const runtime = await loadOnnxRuntime();
    const session = await runtime.InferenceSession.create(bytes, {
      executionProviders: ["cpu"],
      // A chunk is 0.1 ms of work: more threads only wait for each other.
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      logSeverityLevel: 4, // what it refuses is thrown as well
    }).catch((error) => {
      throw new SottoError("E_MODEL_FORMAT", `Cannot use ${model} for voice activity: ${firstLine(error)}`, {
        hint: "It must be Silero's network as an ONNX file.",
        cause: error,
      });
    });
    const detector = new SileroDetector(runtime, session);
    try {
      await detector.#tryOut(model);
      return detector;
    } catch (error) {
      await detector[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Takes further samples: F32, 16 kHz, one channel. */
  async push(samples: Float32Array): Promise<void> {
    this.#samples += samples.length;
    for (let at = 0; at < samples.length;) {
      const part = samples.subarray(at, at + this.#input.length - this.#filled);
      this.#input.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
      if (this.#filled === this.#input.length) await this.#judge();
    }
  }

  /**
   * Ends the recording.
   *
   * @returns The probability that somebody speaks, a frame (10 ms) each; 255 is certainty.
   */
  async finish(): Promise<Uint8Array> {
    if (this.#filled > CONTEXT) {
      this.#input.fill(0, this.#filled);
      await this.#judge();
    }
    const frames = new Uint8Array(Math.floor(this.#samples / HOP));
    return frames.map((_, frame) => this.#bytes[Math.floor((frame + 0.5) * HOP / CHUNK)]);
  }

  /** Frees the network. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session.release();
  }

  async #judge(): Promise<void> {
    const { output, stateN } = await this.#run();
    this.#state = stateN;
    this.#input.copyWithin(0, CHUNK);
    this.#filled = CONTEXT;
    if (this.#chunks === this.#bytes.length) {
      const larger = new Uint8Array(2 * this.#bytes.length);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#bytes[this.#chunks++] = Math.round(CERTAIN * output.data[0]);
  }

  #run(): Promise<Readonly<Record<string, OnnxTensor>>> {
    return this.#session.run({
      input: new this.#runtime.Tensor("float32", this.#input, [1, CONTEXT + CHUNK]),
      state: this.#state,
      ...(this.#rate ? { sr: this.#rate } : {}),
    });
  }

  #silentState(): OnnxTensor {
    const size = STATE_SHAPE.reduce((product, length) => product * length);
    return new this.#runtime.Tensor("float32", new Float32Array(size), STATE_SHAPE);
  }

  /** Refuses a network of another kind. */
  async #tryOut(model: string | URL): Promise<void> {
    const refuse = (rule: string, cause?: unknown): never => {
      throw new SottoError("E_MODEL_MISMATCH", `Cannot use ${model} for voice activity: ${rule}`, {
        hint: "It must be Silero's network, version 5 or 6, as an ONNX file.",
        cause,
      });
    };
    const { inputNames, outputNames } = this.#session;
    const missing = [
      ...["input", "state"].filter((name) => !inputNames.includes(name)),
      ...["output", "stateN"].filter((name) => !outputNames.includes(name)),
    ];
    if (missing.length > 0) {
      refuse(`it must have ${missing.join(" and ")}; got ${[...inputNames, ...outputNames].join(", ")}`);
    }
    const { output, stateN } = await this.#run().catch((error) => refuse(firstLine(error), error));
    const [probability] = output.data;
    if (output.data.length !== 1 || !(probability >= 0 && probability <= 1)) {
      refuse(`output must be one probability of 0…1; got ${output.data.slice(0, 3).join(", ")}`);
    }
    if (String(stateN.dims) !== String(STATE_SHAPE)) {
      refuse(`stateN must be [${STATE_SHAPE.join(", ")}]; got [${stateN.dims.join(", ")}]`);
    }
  }
}

/** Samples of a recording in order. */
interface Samples extends AsyncIterable<Float32Array>, AsyncDisposable {}
/** A recording that can be read more than once. */
interface Recording {
  open(signal?: AbortSignal): Promise<Samples>;
}

/** A recording whose first reading is heard by a detector on the way. */
export function heardBy(recording: Recording, detector: SileroDetector): Recording {
  let isFirst = true;
  return {
    async open(signal) {
      const samples = await recording.open(signal);
      if (!isFirst) return samples;
      isFirst = false;
      return {
        async *[Symbol.asyncIterator]() {
          for await (const chunk of samples) {
            await detector.push(chunk);
            yield chunk;
          }
        },
        [Symbol.asyncDispose]: () => samples[Symbol.asyncDispose](),
      };
    },
  };
}

async function readModel(path: string | URL): Promise<Uint8Array> {
  try {
    return await Deno.readFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) {
      throw new SottoError("E_PERMISSION", `Cannot read ${path} because Deno was not given the right to`, {
        hint: `Run again with --allow-read=${path}`,
        cause: error,
      });
    }
    const reason = error instanceof Deno.errors.NotFound ? "there is no such file" : firstLine(error);
    throw new SottoError("E_INPUT", `Cannot read ${path} for voice activity: ${reason}`, { cause: error });
  }
}

/** What is told of a failure: Deno's and ONNX Runtime's messages go on with where it arose. */
function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split("\n")[0].replace(/: \w+ '.*$/, "");
}

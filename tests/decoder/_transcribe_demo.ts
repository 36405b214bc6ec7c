/**
 * The way from a recording to segments, cut down to what the decoder's tests need. On the CPU library where it is
 * built, which takes seconds; else on the portable device, which takes minutes.
 */

import {
  type MelWindows,
  type RunControls,
  type Segment,
  type TranscribeOptions,
  transcribeWindows,
  type TranscriptionModel,
  type TranscriptSummary,
} from "../../decoder/mod.ts";
import { Encoder } from "../../encoder/encoder.ts";
import type { Device } from "../../kernels/device.ts";
import { openDevice } from "../../kernels/select.ts";
import { logMel, padOrTrimMel } from "../../mel/log_mel.ts";
import { alignmentHeadsOf } from "../../model/alignment_heads.ts";
import { openCheckpoint } from "../../model/open.ts";
import { HAS_LIBRARY, LIBRARY_PATH } from "../support/cpu_library.ts";
import { DEMO, demoTokenizer } from "./_demo_model.ts";

/** Samples that openai-whisper appends to a recording, 30 s. */
const PADDING = 480_000;

/** A recording transcribed. */
export interface DemoTranscript extends TranscriptSummary {
  readonly segments: readonly Segment[];
}

/** The demo model with encoder, decoder and vocabulary. Features are kept by window: most runs share theirs. */
export class DemoTranscriber implements AsyncDisposable {
  readonly #stack: AsyncDisposableStack;
  readonly #device: Device;
  readonly #model: TranscriptionModel;

  private constructor(stack: AsyncDisposableStack, device: Device, model: TranscriptionModel) {
    this.#stack = stack;
    this.#device = device;
    this.#model = model;
  }

  /** Loads it. */
  static async load(): Promise<DemoTranscriber> {
    const stack = new AsyncDisposableStack();
    const checkpoint = await openCheckpoint(DEMO);
    const device = stack.use(
      HAS_LIBRARY ? await openDevice("cpu", { library: LIBRARY_PATH }) : await openDevice("portable"),
    );
    const encoder = stack.use(await Encoder.load(checkpoint, { device, precision: "f32" }));
    const decoder = stack.use(await device.loadDecoder(checkpoint.dims.decoder!, checkpoint.weights));
    const encoded = new Map<string, Float32Array<ArrayBuffer>>();
    const encode = async (mel: Float32Array<ArrayBuffer>) => {
      const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", mel));
      const features = encoded.get(hash.toHex()) ?? await encoder.encode(mel);
      encoded.set(hash.toHex(), features);
      return features;
    };
    return new DemoTranscriber(stack, device, {
      encode,
      decoder,
      tokenizer: await demoTokenizer(checkpoint),
      alignmentHeads: alignmentHeadsOf(checkpoint, checkpoint.dims.decoder!),
    });
  }

  /** Windows cut from the log-mel of a whole recording: a bundled one by name, or samples at 16 kHz. */
  async windows(recording: string | Float32Array): Promise<MelWindows> {
    const samples = typeof recording === "string" ? await demoSamples(recording) : recording;
    const mel = await logMel(samples, { padding: PADDING, device: this.#device });
    const window = (seek: number, frames: number) => {
      const part = new Float32Array(mel.bands * frames);
      for (let band = 0; band < mel.bands; band++) {
        const from = band * mel.frames + seek;
        part.set(mel.data.subarray(from, from + frames), band * frames);
      }
      return Promise.resolve(padOrTrimMel({ data: part, bands: mel.bands, frames }).data);
    };
    return { contentFrames: mel.frames - 3000, window, openingWindow: () => window(0, 3000) };
  }

  /** All segments of a recording, see {@linkcode windows}, and what they come to. */
  async transcribe(
    recording: string | Float32Array,
    options: TranscribeOptions & RunControls,
  ): Promise<DemoTranscript> {
    const run = transcribeWindows(await this.windows(recording), this.#model, options);
    const segments: Segment[] = [];
    let step = await run.next();
    for (; !step.done; step = await run.next()) segments.push(step.value);
    return { ...step.value, segments };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

/** The samples of a bundled recording. */
export async function demoSamples(clip: string): Promise<Float32Array> {
  return await pcm16(`${DEMO}/audio/${clip}.wav`);
}

/** The samples of a 16-bit mono WAV file with a plain 44-byte header. */
async function pcm16(path: string): Promise<Float32Array> {
  const bytes = await Deno.readFile(path);
  return Float32Array.from(new Int16Array(bytes.buffer, 44), (sample) => sample / 32768);
}

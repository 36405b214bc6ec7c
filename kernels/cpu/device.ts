/**
 * The CPU device: libsotto_cpu on a pool of threads. A whole plan is one native call.
 *
 * @module
 */

import { SottoError } from "../../errors.ts";
import type { ContextDescription, CpuContext, CpuPlan, Measurement } from "../../ffi/cpu_context.ts";
import { CpuLibrary } from "../../ffi/cpu_library.ts";
import { namedVariable } from "../../ffi/named_variable.ts";
import type { DecoderDimensions } from "../../model/dimensions.ts";
import { decoderTensors } from "../../model/weight_names.ts";
import type { WeightStore } from "../../model/weights.ts";
import type { Formats } from "../../tensor/formats.ts";
import type { DecoderOptions, Device, LoadedDecoder, LoadedPlan, MelFilters, RunOptions } from "../device.ts";
import type { RowsWorker } from "../../ffi/rows_pass.ts";
import { arithmeticText } from "../arithmetic_text.ts";
import type { Arithmetic, Plan } from "../step.ts";
import { CpuLoadedDecoder, decoderArithmetic, decoderWords, weightFormat } from "./decoder.ts";
import { programOf } from "./program.ts";
import { namingWeights } from "./weight_names.ts";
import { WeightTable } from "./weight_table.ts";

/** Names the kernels to use, such as `avx2`; for tests and for measuring. */
export const VARIANT_VARIABLE = "SOTTO_CPU_VARIANT";

/** Most threads by default. One window has too few rows to keep more of them busy. */
const MOST_DEFAULT_THREADS = 64;

/** Samples between frames, and in one (openai-whisper, `whisper/audio.py`: HOP_LENGTH, N_FFT). */
const HOP_SAMPLES = 160;
const FRAME_SAMPLES = 400;

/** Bins of the power spectrum of a frame. */
const SPECTRUM_BINS = FRAME_SAMPLES / 2 + 1;

/** How a CPU device is opened. */
export interface CpuDeviceOptions {
  /** 1…256; default one for each core, 64 at most. */
  readonly threads?: number;
  /** Kernels to use, such as `avx2`; default `SOTTO_CPU_VARIANT`, where it may be read, else the best. */
  readonly variant?: string;
  /** Path or `file:` URL of libsotto_cpu; default as `ffi/library_path.ts` says. */
  readonly library?: string | URL;
}

/** A plan on the CPU device, which can also say how long its steps took. */
export interface CpuLoadedPlan extends LoadedPlan, AsyncDisposable {
  /**
   * Runs the plan once and times its steps.
   *
   * @returns The output, and the seconds of each step.
   */
  profile(input: Float32Array<ArrayBuffer>): Promise<{
    readonly output: Float32Array<ArrayBuffer>;
    readonly seconds: Float64Array<ArrayBuffer>;
  }>;
}

/** libsotto_cpu on a pool of threads. */
export class CpuDevice implements Device {
  readonly name = "cpu";
  readonly description: string;
  readonly #library: CpuLibrary;
  readonly #context: CpuContext;
  readonly #variant: string;
  readonly rates: Readonly<Partial<Record<Arithmetic, number>>>;

  private constructor(library: CpuLibrary, context: CpuContext, description: ContextDescription) {
    this.#library = library;
    this.#context = context;
    this.#variant = description.variant;
    this.rates = description.rates;
    const { threads } = description;
    this.description = `${library.describe().cpu}, ${this.#variant}, ${threads} thread${
      threads === 1 ? "" : "s"
    }`;
  }

  /**
   * Opens the library and starts the threads.
   *
   * @throws {SottoError} E_PERMISSION, E_NATIVE if the library cannot be used; E_DEVICE if it has no such
   * variant; E_OPTION if `threads` is out of range.
   */
  static open(options: CpuDeviceOptions = {}): CpuDevice {
    const threads = options.threads ?? Math.min(navigator.hardwareConcurrency, MOST_DEFAULT_THREADS);
    if (!Number.isInteger(threads) || threads < 1 || threads > 256) {
      throw new SottoError(
        "E_OPTION",
        `Cannot use ${threads} threads: threads must be a whole number from 1 to 256`,
      );
    }
    const library = CpuLibrary.open(options.library);
    const context = library.createContext(threads, options.variant ?? namedVariable(VARIANT_VARIABLE) ?? "");
    return new CpuDevice(library, context, context.describe());
  }

  async logMelPower(
    samples: Float32Array<ArrayBuffer>,
    frames: number,
    filters: MelFilters,
  ): Promise<Float32Array<ArrayBuffer>> {
    const { bands, weights } = filters;
    if (frames === 0) return new Float32Array(0);
    const needed = HOP_SAMPLES * (frames - 1) + FRAME_SAMPLES;
    if (!Number.isInteger(frames) || frames < 0 || samples.length < needed) {
      throw new SottoError(
        "E_OPTION",
        `Cannot compute ${frames} mel frames: need ${needed} samples, got ${samples.length}`,
      );
    }
    if (weights.length !== bands * SPECTRUM_BINS) {
      throw new SottoError(
        "E_OPTION",
        `Cannot use these mel filters: need [${bands}, ${SPECTRUM_BINS}], got ${weights.length} values`,
      );
    }
    const out = new Float32Array(frames * bands);
    await this.#context.logMel(samples, weights, out, { frames, bands });
    return out;
  }

  async loadPlan(plan: Plan, weights: WeightStore): Promise<CpuLoadedPlan> {
    const program = programOf(plan);
    const tensors = plan.weights.map(({ name, shape }) => weights.get(name, shape));
    using table = await WeightTable.open(this.#library, tensors);
    const native = await namingWeights(tensors, () => this.#context.createPlan(program, table.words));
    return new LoadedCpuPlan(native, plan, `${arithmeticText(plan)} (${this.#variant})`);
  }

  async loadDecoder(
    dims: DecoderDimensions,
    weights: WeightStore,
    options: DecoderOptions = {},
  ): Promise<LoadedDecoder> {
    const { precision = "stored" } = options;
    const format = weightFormat(precision);
    const tensors = decoderTensors(dims).map(({ name, shape }) => weights.get(name, shape));
    using table = await WeightTable.open(this.#library, tensors);
    const words = decoderWords(dims);
    const decoder = await namingWeights(
      tensors,
      () => this.#context.createDecoder(words, table.words, format),
    );
    return new CpuLoadedDecoder(decoder, dims, decoderArithmetic(tensors, precision, this.#variant));
  }

  /** Conversions between number formats on this device's threads, with the bits of `PORTABLE_FORMATS`. */
  get formats(): Formats {
    return this.#context.formats();
  }

  /** Passes over rows on this device's threads, between products of an NPU. */
  get rows(): RowsWorker {
    return this.#context.rows();
  }

  /**
   * What this machine can do at most, on this device's threads and kernels: operations a second on registers
   * alone, or bytes a second read from memory.
   */
  measure(what: Measurement, seconds: number): Promise<number> {
    return this.#context.measure(what, seconds);
  }

  [Symbol.dispose](): void {
    this.#context[Symbol.dispose]();
  }
}

/** A plan with packed weights. */
class LoadedCpuPlan implements CpuLoadedPlan {
  readonly arithmetic: string;
  readonly #native: CpuPlan;
  readonly #plan: Plan;

  constructor(native: CpuPlan, plan: Plan, arithmetic: string) {
    this.#native = native;
    this.#plan = plan;
    this.arithmetic = arithmetic;
  }

  run(input: Float32Array<ArrayBuffer>, options: RunOptions = {}): Promise<Float32Array<ArrayBuffer>> {
    return this.#run(input, { signal: options.signal });
  }

  async profile(
    input: Float32Array<ArrayBuffer>,
  ): Promise<{ readonly output: Float32Array<ArrayBuffer>; readonly seconds: Float64Array<ArrayBuffer> }> {
    const seconds = new Float64Array(this.#plan.steps.length);
    return { output: await this.#run(input, { seconds }), seconds };
  }

  async #run(
    input: Float32Array<ArrayBuffer>,
    watched: { readonly signal?: AbortSignal; readonly seconds?: Float64Array<ArrayBuffer> },
  ): Promise<Float32Array<ArrayBuffer>> {
    const { buffers, input: inputBuffer, output: outputBuffer } = this.#plan;
    const { name, rows, columns } = buffers[inputBuffer];
    if (input.length !== rows * columns) {
      throw new SottoError(
        "E_OPTION",
        `Cannot run the plan: ${name} must be [${rows}, ${columns}], got ${input.length} values`,
      );
    }
    const output = new Float32Array(buffers[outputBuffer].rows * buffers[outputBuffer].columns);
    await this.#native.run(input, output, { inputBuffer, outputBuffer, ...watched });
    return output;
  }

  /** Frees the weights; refused with E_BUSY during a run. */
  [Symbol.dispose](): void {
    this.#native[Symbol.dispose]();
  }

  /** Frees the weights after the runs that were asked for. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#native[Symbol.asyncDispose]();
  }
}

/**
 * Threads and kernels of libsotto_cpu, and what is created on them.
 *
 * Sizes are checked on the native side; a wrong one is answered with an error, never read or written past.
 *
 * @module
 */

import { cancellable } from "./cancellable.ts";
import { CpuDecoder } from "./cpu_decoder.ts";
import { CpuFormats } from "./cpu_formats.ts";
import { type CpuSymbols, destroyWith } from "./cpu_functions.ts";
import { CpuRows } from "./cpu_rows.ts";
import { describe, sized, sizedText } from "./native_call.ts";
import { NativeHandle } from "./native_handle.ts";

/** A thread pool and the kernels it runs. */
export interface ContextDescription {
  /** The kernels in use, such as `avx512`. */
  readonly variant: string;
  readonly threads: number;
  /** Operations a second of one thread on registers, in each arithmetic there is, by its name. */
  readonly rates: Readonly<Record<string, number>>;
}

/** A plan in the words that `sotto_cpu_plan_create` takes. */
export interface PlanProgram {
  /** [n, 3]: offset into the arena in floats, rows, columns. */
  readonly buffers: BigInt64Array<ArrayBuffer>;
  /** [n, SOTTO_STEP_WORDS]. */
  readonly steps: BigInt64Array<ArrayBuffer>;
  /** Size of the arena in floats. */
  readonly arena: number;
}

/** What {@linkcode CpuContext.measure} can measure. */
export type Measurement =
  /** Operations a second, multiply-adds on registers alone. */
  | "f32_peak"
  | "bf16_peak"
  | "f16_peak"
  | "i8_peak"
  /** Bytes a second, from memory far larger than the caches. */
  | "read_bandwidth";

/** A pool of threads with a table of kernels. */
export class CpuContext extends NativeHandle {
  readonly #symbols: CpuSymbols;

  /** @param handle As `sotto_cpu_context_create` gave it. */
  constructor(symbols: CpuSymbols, handle: bigint) {
    super("device", handle, destroyWith(symbols));
    this.#symbols = symbols;
  }

  /** The variant and the number of threads in use. */
  describe(): ContextDescription {
    const symbol = "sotto_cpu_context_describe";
    return describe(symbol, (json) => this.#symbols[symbol](this.handle, ...json));
  }

  /** Conversions between number formats on these threads. */
  formats(): CpuFormats {
    const { variant } = this.describe();
    return new CpuFormats(this.#symbols, (symbol, invoke) => this.call(symbol, invoke), variant);
  }

  /** Passes over rows between products of another device, on these threads. */
  rows(): CpuRows {
    return new CpuRows(this.#symbols, (symbol, invoke) => this.call(symbol, invoke));
  }

  /**
   * log10 of the mel power spectrum.
   *
   * @param samples F32; frame i is samples [160·i, 160·i + 400).
   * @param filters F32 [bands, 201].
   * @param out F32 [frames, bands].
   */
  async logMel(
    samples: Float32Array<ArrayBuffer>,
    filters: Float32Array<ArrayBuffer>,
    out: Float32Array<ArrayBuffer>,
    shape: { readonly frames: number; readonly bands: number },
  ): Promise<void> {
    const symbol = "sotto_cpu_log_mel";
    await this.call(symbol, (context, error) =>
      this.#symbols[symbol](
        context,
        ...sized(samples),
        ...sized(filters),
        ...sized(out),
        shape.frames,
        shape.bands,
        ...error,
      ));
  }

  /**
   * Reads, checks and packs a plan's weights.
   *
   * @param weights [n, SOTTO_WEIGHT_WORDS]; their files may be closed afterwards.
   */
  async createPlan(program: PlanProgram, weights: BigUint64Array<ArrayBuffer>): Promise<CpuPlan> {
    const { buffers, steps, arena } = program;
    const plan = new BigUint64Array(1);
    const symbol = "sotto_cpu_plan_create";
    await this.call(symbol, (context, error) =>
      this.#symbols[symbol](
        context,
        ...sized(buffers),
        ...sized(weights),
        ...sized(steps),
        BigInt(arena),
        plan,
        ...error,
      ));
    return new CpuPlan(this.#symbols, plan[0]);
  }

  /**
   * Prepares a text decoder.
   *
   * @param dims [6] as the header says.
   * @param weights [n, SOTTO_WEIGHT_WORDS]; the decoder keeps the files it needs.
   * @param format What it keeps them in, one of `SottoWeightFormat`.
   */
  async createDecoder(
    dims: Int32Array<ArrayBuffer>,
    weights: BigUint64Array<ArrayBuffer>,
    format: number,
  ): Promise<CpuDecoder> {
    const decoder = new BigUint64Array(1);
    const symbol = "sotto_cpu_decoder_create";
    await this.call(
      symbol,
      (context, error) =>
        this.#symbols[symbol](context, ...sized(dims), ...sized(weights), format, decoder, ...error),
    );
    return new CpuDecoder(this.#symbols, decoder[0]);
  }

  /**
   * Measures this machine, for about `seconds`.
   *
   * @returns In the unit of `what`.
   */
  async measure(what: Measurement, seconds: number): Promise<number> {
    const result = new Float64Array(1);
    const symbol = "sotto_cpu_measure";
    await this.call(
      symbol,
      (context, error) => this.#symbols[symbol](context, ...sizedText(what), seconds, result, ...error),
    );
    return result[0];
  }
}

/** Where a run starts and ends, and how it is watched. */
export interface PlanRun {
  readonly inputBuffer: number;
  readonly outputBuffer: number;
  /** [steps], receives seconds; none unless given. */
  readonly seconds?: Float64Array<ArrayBuffer>;
  readonly signal?: AbortSignal;
}

/** A plan with packed weights and its own arena. Runs queue. */
export class CpuPlan extends NativeHandle {
  readonly #symbols: CpuSymbols;

  /** @param handle As `sotto_cpu_plan_create` gave it. */
  constructor(symbols: CpuSymbols, handle: bigint) {
    super("encoder plan", handle, destroyWith(symbols), 1);
    this.#symbols = symbols;
  }

  /**
   * Runs the plan: `input` fills the input buffer, `out` is filled from the output buffer.
   *
   * @throws {SottoError} E_ABORTED soon after the signal is aborted.
   */
  async run(input: Float32Array<ArrayBuffer>, out: Float32Array<ArrayBuffer>, run: PlanRun): Promise<void> {
    const seconds = run.seconds ?? new Float64Array(0);
    const symbol = "sotto_cpu_plan_run";
    await cancellable(run.signal, 2, (control) =>
      this.call(symbol, (plan, error) =>
        this.#symbols[symbol](
          plan,
          run.inputBuffer,
          ...sized(input),
          run.outputBuffer,
          ...sized(out),
          ...sized(control),
          ...sized(seconds),
          ...error,
        ), run.signal));
  }
}

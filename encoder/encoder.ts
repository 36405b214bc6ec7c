/**
 * Whisper's audio encoder: a log-mel window in, features out.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { SottoError, type WarningSink } from "../errors.ts";
import type { Device, LoadedPlan, RunOptions } from "../kernels/device.ts";
import { type DeviceChoice, type DeviceOptions, openDevice } from "../kernels/select.ts";
import type { LogMel } from "../mel/log_mel.ts";
import type { Checkpoint } from "../model/checkpoint.ts";
import type { EncoderDimensions } from "../model/dimensions.ts";
import { openCheckpoint } from "../model/open.ts";
import type { WeightStore } from "../model/weights.ts";
import { planEncoder } from "./plan.ts";
import { arithmeticFor, type Precision, requirePrecision } from "./precision.ts";

/** The encoder's dimensions and weights, wherever they come from. */
export interface EncoderWeights {
  /** Of the encoder. */
  readonly dims: EncoderDimensions;
  /** May hold more than the encoder. */
  readonly weights: WeightStore;
}

/** How an encoder is loaded. */
export interface EncoderOptions extends DeviceOptions {
  /** A device's name (default `auto`), or an open device, which is then not disposed of with the encoder. */
  readonly device?: DeviceChoice | Device;
  /** Default `auto`. */
  readonly precision?: Precision;
}

/** An encoder, loaded. Calls to {@linkcode Encoder.encode} queue. */
export class Encoder implements Disposable, AsyncDisposable {
  /** What it was loaded with. */
  readonly dims: EncoderDimensions;
  /** The device that it runs on. */
  readonly device: Device;
  readonly #plan: LoadedPlan;
  readonly #ownsDevice: boolean;
  readonly #running = new Set<Promise<unknown>>();

  private constructor(dims: EncoderDimensions, device: Device, plan: LoadedPlan, ownsDevice: boolean) {
    this.dims = dims;
    this.device = device;
    this.#plan = plan;
    this.#ownsDevice = ownsDevice;
  }

  /**
   * Loads an encoder. Weights of the encoder alone suffice.
   *
   * @param source Path or `file:` URL of a checkpoint, an open checkpoint, or dimensions and weights.
   * @throws {SottoError} E_OPTION for options there are not; what {@linkcode openDevice} and opening a checkpoint
   * throw; E_MODEL_MISMATCH, E_MODEL_VALUES if the weights are not an encoder's.
   */
  static async load(
    source: string | URL | Checkpoint | EncoderWeights,
    options: EncoderOptions = {},
  ): Promise<Encoder> {
    const { device: wanted = "auto", precision = "auto" } = options;
    requirePrecision(precision);
    const { dims, weights } = await encoderWeights(source, options.onWarning);
    using opened = new DisposableStack();
    const ownsDevice = typeof wanted === "string";
    const device = ownsDevice ? opened.use(await openDevice(wanted, options)) : wanted;
    const plan = await device.loadPlan(
      planEncoder(dims, arithmeticFor(precision, dims, device)),
      weights,
      { precision },
    );
    opened.move();
    return new Encoder(dims, device, plan, ownsDevice);
  }

  /** What the products are computed in, by kind of operation, such as `f32 (avx512)`. */
  get arithmetic(): string {
    return this.#plan.arithmetic;
  }

  /**
   * Encodes one window.
   *
   * @param logMel Whisper's normalized log-mel, F32 [n_mels, 2·n_audio_ctx], row-major; not to be changed before
   * the promise settles.
   * @returns F32 [n_audio_ctx, n_audio_state], row-major, after the final layer norm; a new array.
   * @throws {SottoError} E_OPTION if the log-mel has another shape; E_ABORTED soon after `signal` is aborted;
   * E_BUSY if the encoder was disposed of.
   */
  async encode(
    logMel: LogMel | Float32Array<ArrayBuffer>,
    options: RunOptions = {},
  ): Promise<Float32Array<ArrayBuffer>> {
    const running = this.#plan.run(this.#input(logMel), options);
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  #input(logMel: LogMel | Float32Array<ArrayBuffer>): Float32Array<ArrayBuffer> {
    const { n_mels, n_audio_ctx } = this.dims;
    const frames = 2 * n_audio_ctx;
    const array = logMel instanceof Float32Array;
    const data = array ? logMel : logMel.data;
    if (data.length === n_mels * frames && (array || logMel.bands === n_mels)) return data;
    const found = array ? `${data.length} values` : `[${logMel.bands}, ${logMel.frames}]`;
    throw new SottoError(
      "E_OPTION",
      `Cannot encode: the log-mel must be [${n_mels}, ${frames}], got ${found}`,
      {
        hint: "Cut or fill it up with padOrTrimMel().",
      },
    );
  }

  /**
   * Frees the weights, and the device if the encoder opened it.
   *
   * @throws {SottoError} E_BUSY during a call.
   */
  [Symbol.dispose](): void {
    this.#plan[Symbol.dispose]();
    if (this.#ownsDevice) this.device[Symbol.dispose]();
  }

  /** Frees the same after the calls that were made. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#running);
    this[Symbol.dispose]();
  }
}

async function encoderWeights(
  source: string | URL | Checkpoint | EncoderWeights,
  onWarning?: WarningSink,
): Promise<EncoderWeights> {
  if (typeof source === "string" || source instanceof URL) {
    const path = source instanceof URL ? fileURLToPath(source) : source;
    const { dims, weights } = await openCheckpoint(path, { onWarning });
    return { dims: dims.encoder, weights };
  }
  return "format" in source ? { dims: source.dims.encoder, weights: source.weights } : source;
}

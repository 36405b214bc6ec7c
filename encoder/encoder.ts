/**
 * Whisper's audio encoder: a log-mel window in, features out.
 *
 * @module
 */

import { basename } from "node:path";
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
import { findCalibration, type FoundCalibration } from "./calibration_file.ts";
import { withMigrations } from "./migration.ts";
import { chooseArithmetic, type Precision, requirePrecision } from "./precision.ts";

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
  /**
   * Path or `file:` URL of what `deno task calibrate` wrote for this model; default `sotto_precision.json` in the model's
   * folder, where there is one and it may be read. For `int8` and `auto`.
   */
  readonly precisionFile?: string | URL;
}

/** An encoder, loaded. Calls to {@linkcode Encoder.encode} queue. */
export class Encoder implements Disposable, AsyncDisposable {
  /** What it was loaded with. */
  readonly dims: EncoderDimensions;
  /** The device that it runs on. */
  readonly device: Device;
  readonly #plan: LoadedPlan;
  readonly #chosenBy: string | null;
  readonly #ownsDevice: boolean;
  readonly #running = new Set<Promise<unknown>>();

  /** @param chosenBy The file that said what to compute in what, if one did. */
  private constructor(
    dims: EncoderDimensions,
    device: Device,
    plan: LoadedPlan,
    { ownsDevice, chosenBy }: { readonly ownsDevice: boolean; readonly chosenBy: string | null },
  ) {
    this.dims = dims;
    this.device = device;
    this.#plan = plan;
    this.#chosenBy = chosenBy;
    this.#ownsDevice = ownsDevice;
  }

  /**
   * Loads an encoder. Weights of the encoder alone suffice.
   *
   * @param source Path or `file:` URL of a checkpoint, an open checkpoint, or dimensions and weights.
   * @throws {SottoError} E_OPTION for options there are not; what {@linkcode openDevice} and opening a checkpoint
   * throw; E_MODEL_MISMATCH, E_MODEL_VALUES if the weights are not an encoder's; E_MODEL_FORMAT, E_MODEL_MISMATCH if a
   * calibration is none, or another model's.
   */
  static async load(
    source: string | URL | Checkpoint | EncoderWeights,
    options: EncoderOptions = {},
  ): Promise<Encoder> {
    const { device: wanted = "auto", precision = "auto" } = options;
    requirePrecision(precision);
    const { dims, weights, path } = await encoderWeights(source, options.onWarning);
    const found = await calibrationFor(precision, options.precisionFile, { dims, weights, path });
    using opened = new DisposableStack();
    const ownsDevice = typeof wanted === "string";
    const device = ownsDevice ? opened.use(await openDevice(wanted, options)) : wanted;
    const chosen = chooseArithmetic(precision, dims, device, found?.calibration);
    if (found !== null && !chosen.isCalibrated) tellThatUnused(found, device, options);
    const plan = await device.loadPlan(
      planEncoder(dims, chosen.arithmetic, chosen.migrations),
      await withMigrations(weights, dims, chosen.migrations),
      { precision },
    );
    opened.move();
    return new Encoder(dims, device, plan, {
      ownsDevice,
      chosenBy: chosen.isCalibrated ? basename(found!.path) : null,
    });
  }

  /** What the products are computed in, by kind of operation, such as `f32 (avx512)`, and which file said so. */
  get arithmetic(): string {
    const { arithmetic } = this.#plan;
    return this.#chosenBy === null ? arithmetic : `${arithmetic}, by ${this.#chosenBy}`;
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

/** Dimensions, weights, and the path they come from. */
type Opened = EncoderWeights & { readonly path: string | null };

async function calibrationFor(
  precision: Precision,
  given: string | URL | undefined,
  { dims, weights, path }: Opened,
): Promise<FoundCalibration | null> {
  if (precision === "int8" || precision === "auto") {
    return await findCalibration({ given, model: path }, dims, weights);
  }
  if (given === undefined) return null;
  throw new SottoError(
    "E_OPTION",
    `Cannot use ${given} in ${precision}: a precision file is for int8 and auto`,
  );
}

/** Says that a calibration has no say, to those who named it or asked for INT8. */
function tellThatUnused(
  { path }: FoundCalibration,
  device: Device,
  { precision, precisionFile, onWarning }: EncoderOptions,
): void {
  if (precisionFile === undefined && precision !== "int8") return;
  const reason = (device.rates?.i8 ?? 0) > 0
    ? "an error in its report is above 2 %, or INT8 is not the fastest here; int8 takes it, auto does not"
    : `it is for INT8 on a CPU, and the device ${device.name} chooses what it rounds itself`;
  onWarning?.({ code: "W_OPTION", message: `${path} is not used: ${reason}` });
}

async function encoderWeights(
  source: string | URL | Checkpoint | EncoderWeights,
  onWarning?: WarningSink,
): Promise<Opened> {
  if (typeof source === "string" || source instanceof URL) {
    const path = source instanceof URL ? fileURLToPath(source) : source;
    const { dims, weights } = await openCheckpoint(path, { onWarning });
    return { dims: dims.encoder, weights, path };
  }
  if (!("format" in source)) return { ...source, path: null };
  return { dims: source.dims.encoder, weights: source.weights, path: source.name };
}

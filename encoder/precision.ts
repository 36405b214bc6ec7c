/**
 * How exact the encoder has to be. A precision names an accuracy; which arithmetic is the fastest within it, the
 * processor says.
 *
 * @module
 */

import { SottoError } from "../errors.ts";
import type { Device } from "../kernels/device.ts";
import type { Arithmetic } from "../kernels/step.ts";
import type { EncoderDimensions } from "../model/dimensions.ts";
import { type Calibration, worstError } from "./calibration.ts";
import type { Migration } from "./migration.ts";
import {
  builtInPolicy,
  isInt8Measured,
  mapProducts,
  type PerProduct,
  type RoundingPolicy,
} from "./policy.ts";

/**
 * `f32`: every product in 32-bit floating point, within 0.01 % of PyTorch's features. `half`: 16 bits, within 1 %.
 * `int8`: 8 bits where that stays within 2 %, else 16. `auto`: the fastest of these here, with `int8` only for models
 * whose error in it was measured.
 */
export type Precision = "auto" | "f32" | "half" | "int8";

/** Every precision there is. */
export const PRECISIONS: readonly Precision[] = ["auto", "f32", "half", "int8"];

/**
 * Passes if there is such a precision.
 *
 * @throws {SottoError} E_OPTION naming those there are.
 */
export function requirePrecision(precision: string): asserts precision is Precision {
  if ((PRECISIONS as readonly string[]).includes(precision)) return;
  throw new SottoError(
    "E_OPTION",
    `Cannot compute in "${precision}": precision must be one of ${PRECISIONS.join(", ")}`,
  );
}

/** How much faster other arithmetic has to be on registers to be worth its error and its packing. */
const WORTH = 1.2;

/** Operations a second in some arithmetic; a device that names none computes in F32. */
function rate(device: Pick<Device, "rates">, arithmetic: Arithmetic): number {
  return device.rates?.[arithmetic] ?? (arithmetic === "f32" ? 1 : 0);
}

/**
 * The 16-bit arithmetic that is fastest here, or F32 if that is no slower: BF16 is twice as fast as F32 on one
 * processor and half as fast on another.
 */
export function halfArithmetic(device: Pick<Device, "rates">): "f32" | "bf16" | "f16" {
  const best = rate(device, "f16") >= rate(device, "bf16") ? "f16" : "bf16";
  return rate(device, best) > WORTH * rate(device, "f32") ? best : "f32";
}

/** `auto` made one of the others: the fastest that pays on this device; INT8 only if that is known to be exact enough. */
export function resolvePrecision(
  precision: Precision,
  device: Pick<Device, "rates">,
  isInt8Known: boolean,
): Exclude<Precision, "auto"> {
  if (precision !== "auto") return precision;
  const half = halfArithmetic(device);
  if (isInt8Known && rate(device, "i8") > WORTH * rate(device, half)) return "int8";
  return half === "f32" ? "f32" : "half";
}

/** What each product is computed in on a device. */
export function planArithmetic(
  policy: RoundingPolicy,
  device: Pick<Device, "rates">,
): PerProduct<Arithmetic> {
  const half = halfArithmetic(device);
  return mapProducts(policy, (rounding, product) => {
    if (rounding === "f32") return "f32";
    // Attention has no kernel for F16, and one for INT8 wherever bytes are multiplied faster than F32.
    if (product === "attention" && rounding === "half") return half === "bf16" ? "bf16" : "f32";
    if (product === "attention" && rate(device, "i8") <= WORTH * rate(device, "f32")) return "f32";
    return rounding === "half" || rate(device, "i8") === 0 ? half : "i8";
  });
}

/** Largest relative L2 error that `auto` takes. */
const MOST_OF_AUTO = 0.02;

/** How an encoder is computed. */
export interface ChosenArithmetic {
  /** What each product is computed in. */
  readonly arithmetic: PerProduct<Arithmetic>;
  /** Scales moved into weights. */
  readonly migrations: readonly Migration[];
  /** Whether a calibration said so. */
  readonly isCalibrated: boolean;
}

/**
 * How an encoder is computed on a device, in a precision.
 *
 * @param calibration Of this very model: what `int8` stands for instead of the built-in choice. `auto` takes it if its
 * error was at most 2 % on every clip.
 */
export function chooseArithmetic(
  precision: Precision,
  dims: EncoderDimensions,
  device: Pick<Device, "rates">,
  calibration: Calibration | null = null,
): ChosenArithmetic {
  const isInt8Known = calibration === null ? isInt8Measured(dims) : worstError(calibration) <= MOST_OF_AUTO;
  const resolved = resolvePrecision(precision, device, isInt8Known);
  const calibrated = resolved === "int8" && rate(device, "i8") > 0 ? calibration : null;
  const policy = calibrated?.policy ?? builtInPolicy(resolved, dims.n_audio_layer);
  return {
    arithmetic: planArithmetic(policy, device),
    migrations: calibrated?.migrations ?? [],
    isCalibrated: calibrated !== null,
  };
}

/** What each product of an encoder is computed in on a device, where nothing was calibrated. */
export function arithmeticFor(
  precision: Precision,
  dims: EncoderDimensions,
  device: Pick<Device, "rates">,
): PerProduct<Arithmetic> {
  return chooseArithmetic(precision, dims, device).arithmetic;
}

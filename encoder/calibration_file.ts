/**
 * `sotto_precision.json`: reads, checks and writes a calibration. A file of another model, version or shape is refused: a
 * precision that was asked for is never quietly another one.
 *
 * @module
 */

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { SottoError } from "../errors.ts";
import type { EncoderDimensions } from "../model/dimensions.ts";
import { parseStrictJson, readStrictJson } from "../model/strict_json.ts";
import type { WeightStore } from "../model/weights.ts";
import { type Calibration, PRECISION_FILE } from "./calibration.ts";
import { writtenScale } from "./migration.ts";
import { fingerprintOf } from "./fingerprint.ts";
import { CALIBRATION_FORMAT, CALIBRATION_VERSION, calibrationOf } from "./calibration_shape.ts";

/** What a calibration reads as in its file. */
export function writeCalibration({ dims, fingerprint, policy, migrations, report }: Calibration): string {
  const { n_mels, n_audio_ctx, n_audio_state, n_audio_head, n_audio_layer } = dims;
  const lists: string[] = [];
  const shape = {
    format: CALIBRATION_FORMAT,
    version: CALIBRATION_VERSION,
    model: { n_mels, n_audio_ctx, n_audio_state, n_audio_head, n_audio_layer, fingerprint },
    policy,
    migrations: migrations.map(({ block, product, scales }) => {
      lists.push(`[${Array.from(scales, (scale) => writtenScale(scale)).join(", ")}]`);
      return { block, product, scales: `list ${lists.length - 1}` };
    }),
    report,
  };
  // Long lists of numbers stand on a line each.
  return `${JSON.stringify(shape, null, 2).replace(/"list (\d+)"/g, (_, i) => lists[Number(i)])}\n`;
}

/**
 * A calibration of its JSON.
 *
 * @param name Of the file, for messages.
 * @throws {SottoError} E_MODEL_FORMAT if it is no JSON, of another format or version, or a value is not what it must be.
 */
export function parseCalibration(bytes: Uint8Array, name: string): Calibration {
  return calibrationOf(parseStrictJson(bytes, name), name);
}

/** Where a calibration may lie. */
export interface CalibrationPlace {
  /** A path or `file:` URL that the user gave. */
  readonly given?: string | URL;
  /** Where the model lies: a folder may hold the file. */
  readonly model: string | null;
}

/** What was read, and from where. */
export interface FoundCalibration {
  readonly path: string;
  readonly calibration: Calibration;
}

/**
 * The calibration for an encoder: the one that was given, else that in the model's folder, if there is one and the folder
 * may be read.
 *
 * @throws {SottoError} E_MODEL_NOT_FOUND, E_PERMISSION, E_INPUT if the given file cannot be read; E_MODEL_FORMAT if a file
 * is not a calibration; E_MODEL_MISMATCH if it is one of another model.
 */
export async function findCalibration(
  { given, model }: CalibrationPlace,
  dims: EncoderDimensions,
  weights: WeightStore,
): Promise<FoundCalibration | null> {
  const path = given === undefined
    ? model === null ? null : await fileIn(model)
    : given instanceof URL
    ? fileURLToPath(given)
    : given;
  if (path === null) return null;
  const calibration = calibrationOf(await readStrictJson(path), path);
  await requireSameModel(calibration, path, dims, weights);
  return { path, calibration };
}

/** Looks only where it may: a model's file can be readable without its folder being so, and no prompt may come up. */
async function fileIn(folder: string): Promise<string | null> {
  const path = join(folder, PRECISION_FILE);
  const { state } = await Deno.permissions.query({ name: "read", path });
  if (state !== "granted") return null;
  try {
    return (await Deno.stat(path)).isFile ? path : null;
  } catch (error) {
    // A model that is a file has nothing inside.
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return null;
    throw error;
  }
}

async function requireSameModel(
  calibration: Calibration,
  path: string,
  dims: EncoderDimensions,
  weights: WeightStore,
): Promise<void> {
  const hint = `Calibrate this model (deno task calibrate), or take ${PRECISION_FILE} away.`;
  const refuse = (message: string) =>
    new SottoError("E_MODEL_MISMATCH", `Cannot use ${path}: ${message}`, { hint });
  for (const [name, size] of Object.entries(calibration.dims)) {
    const own = dims[name as keyof EncoderDimensions];
    if (own !== size) throw refuse(`it is for a model with ${name} ${size}, this one has ${own}`);
  }
  if (calibration.fingerprint !== await fingerprintOf(dims, weights)) {
    throw refuse("it is for other weights of the same dimensions");
  }
}

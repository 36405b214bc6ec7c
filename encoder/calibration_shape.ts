/**
 * What a calibration's JSON must be, value by value.
 *
 * @module
 */

import { SottoError } from "../errors.ts";
import type { EncoderDimensions } from "../model/dimensions.ts";
import { isJsonObject } from "../model/strict_json.ts";
import { didYouMean } from "../nearest.ts";
import type { Calibration, ClipError } from "./calibration.ts";
import { MIGRATED_PRODUCTS, type Migration } from "./migration.ts";
import { BLOCK_PRODUCTS, CONVOLUTIONS, type Rounding, type RoundingPolicy, ROUNDINGS } from "./policy.ts";

/** Says that a JSON file is a calibration. */
export const CALIBRATION_FORMAT = "sotto_precision";

/** Counts changes of the file that an older reader would misread. */
export const CALIBRATION_VERSION = 1;

/** Widest range of a migration's scales: beyond it a channel is lost or drowns the others. */
const SCALE_RANGE = [1e-4, 1e4] as const;

const DIMENSIONS = ["n_mels", "n_audio_ctx", "n_audio_state", "n_audio_head", "n_audio_layer"] as const;

/**
 * Checks parsed JSON and answers it as a calibration.
 *
 * @param name Of the file, for messages.
 * @throws {SottoError} E_MODEL_FORMAT naming the first value that is wrong and what it must be.
 */
export function calibrationOf(json: unknown, name: string): Calibration {
  const at = new Reader(name);
  const root = at.object(json, "the file", ["format", "version", "model", "policy", "migrations", "report"]);
  at.require(root.format === CALIBRATION_FORMAT, `format must be "${CALIBRATION_FORMAT}"`, root.format);
  at.require(root.version === CALIBRATION_VERSION, `version must be ${CALIBRATION_VERSION}`, root.version);
  const model = at.object(root.model, "model", [...DIMENSIONS, "fingerprint"]);
  const dims = Object.fromEntries(
    DIMENSIONS.map((key) => [key, at.count(model[key], `model.${key}`, 1)]),
  ) as unknown as EncoderDimensions;
  const fingerprint = at.text(model.fingerprint, "model.fingerprint");
  at.require(
    /^[0-9a-f]{64}$/.test(fingerprint),
    "model.fingerprint must be 64 hexadecimal digits",
    fingerprint,
  );
  return {
    dims,
    fingerprint,
    policy: policyIn(at, root.policy, dims.n_audio_layer),
    migrations: migrationsIn(at, root.migrations, dims),
    report: reportIn(at, root.report),
  };
}

function policyIn(at: Reader, json: unknown, blocks: number): RoundingPolicy {
  const policy = at.object(json, "policy", [...CONVOLUTIONS, "blocks"]);
  const list = at.list(policy.blocks, "policy.blocks", blocks);
  const rounding = (value: unknown, path: string): Rounding => at.oneOf(value, path, ROUNDINGS);
  return {
    conv1: rounding(policy.conv1, "policy.conv1"),
    conv2: rounding(policy.conv2, "policy.conv2"),
    blocks: list.map((value, i) => {
      const block = at.object(value, `policy.blocks[${i}]`, BLOCK_PRODUCTS);
      return Object.fromEntries(
        BLOCK_PRODUCTS.map((product) => [
          product,
          rounding(block[product], `policy.blocks[${i}].${product}`),
        ]),
      ) as RoundingPolicy["blocks"][number];
    }),
  };
}

function migrationsIn(at: Reader, json: unknown, dims: EncoderDimensions): Migration[] {
  const seen = new Set<string>();
  return at.list(json, "migrations").map((value, i) => {
    const path = `migrations[${i}]`;
    const entry = at.object(value, path, ["block", "product", "scales"]);
    const block = at.count(entry.block, `${path}.block`, 0);
    at.require(block < dims.n_audio_layer, `${path}.block must be one of the model's`, block);
    const product = at.oneOf(entry.product, `${path}.product`, MIGRATED_PRODUCTS);
    at.require(!seen.has(`${block} ${product}`), `${path} must not repeat a product`, `${block} ${product}`);
    seen.add(`${block} ${product}`);
    const scales = at.list(entry.scales, `${path}.scales`, dims.n_audio_state);
    return {
      block,
      product,
      scales: Float32Array.from(scales, (scale, channel) => {
        const value = at.number(scale, `${path}.scales[${channel}]`);
        const [least, most] = SCALE_RANGE;
        at.require(
          value >= least && value <= most,
          `${path}.scales[${channel}] must be ${least} to ${most}`,
          scale,
        );
        return value;
      }),
    };
  });
}

function reportIn(at: Reader, json: unknown): Calibration["report"] {
  const report = at.object(json, "report", ["date", "target", "device", "arithmetic", "clips"]);
  const date = at.text(report.date, "report.date");
  at.require(/^\d{4}-\d{2}-\d{2}$/.test(date), "report.date must be a day, such as 2026-03-01", date);
  const clips = at.list(report.clips, "report.clips").map((value, i): ClipError => {
    const path = `report.clips[${i}]`;
    const clip = at.object(value, path, ["name", "kind", "held_out", "error", "built_in"]);
    at.require(typeof clip.held_out === "boolean", `${path}.held_out must be true or false`, clip.held_out);
    return {
      name: at.text(clip.name, `${path}.name`),
      kind: at.text(clip.kind, `${path}.kind`),
      held_out: clip.held_out as boolean,
      error: at.share(clip.error, `${path}.error`),
      built_in: at.share(clip.built_in, `${path}.built_in`),
    };
  });
  at.require(clips.length > 0, "report.clips must name at least one", "none");
  return {
    date,
    target: at.share(report.target, "report.target"),
    device: at.text(report.device, "report.device"),
    arithmetic: at.text(report.arithmetic, "report.arithmetic"),
    clips,
  };
}

/** Values of JSON that must be something, and the error if they are not. */
class Reader {
  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
  }

  require(holds: boolean, rule: string, found: unknown, hint = ""): void {
    if (holds) return;
    const text = JSON.stringify(found) ?? "nothing";
    throw new SottoError(
      "E_MODEL_FORMAT",
      `Cannot use ${this.#name}: ${rule}, got ${text.length > 80 ? `${text.slice(0, 80)}…` : text}`,
      { hint },
    );
  }

  /** An object with exactly those keys. */
  object(value: unknown, path: string, keys: readonly string[]): Record<string, unknown> {
    this.require(isJsonObject(value), `${path} must be an object`, value);
    const found = value as Record<string, unknown>;
    for (const key of Object.keys(found)) {
      this.require(
        keys.includes(key),
        `${path} must have no keys but ${keys.join(", ")}`,
        key,
        didYouMean(key, keys),
      );
    }
    for (const key of keys) {
      this.require(Object.hasOwn(found, key), `${path} must have ${key}`, Object.keys(found));
    }
    return found;
  }

  list(value: unknown, path: string, length?: number): readonly unknown[] {
    this.require(Array.isArray(value), `${path} must be a list`, value);
    const found = value as readonly unknown[];
    this.require(
      length === undefined || found.length === length,
      `${path} must have ${length} entries`,
      found.length,
    );
    return found;
  }

  text(value: unknown, path: string): string {
    this.require(typeof value === "string" && value !== "", `${path} must be text`, value);
    return value as string;
  }

  number(value: unknown, path: string): number {
    this.require(Number.isFinite(value), `${path} must be a number`, value);
    return value as number;
  }

  /** 0 or more. */
  share(value: unknown, path: string): number {
    const found = this.number(value, path);
    this.require(found >= 0, `${path} must be 0 or more`, value);
    return found;
  }

  count(value: unknown, path: string, least: number): number {
    this.require(
      Number.isSafeInteger(value) && (value as number) >= least,
      `${path} must be a whole number from ${least} on`,
      value,
    );
    return value as number;
  }

  oneOf<T extends string>(value: unknown, path: string, values: readonly T[]): T {
    this.require(values.includes(value as T), `${path} must be ${values.join(", ")}`, value);
    return value as T;
  }
}

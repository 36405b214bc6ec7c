/**
 * Scales moved out of activations into the weights that they are multiplied with, before both are rounded to INT8
 * (Xiao et al. 2022, "SmoothQuant"): x · Wᵀ = (x / s) · (W · s)ᵀ, channel by channel. The division goes into the weight
 * and bias of the layer norm that x comes from, the multiplication into packing W, so a run costs the same.
 *
 * @module
 */

import type { EncoderDimensions } from "../model/dimensions.ts";
import { readFloat32 } from "../model/read_tensor.ts";
import { type StoredTensor, WeightStore } from "../model/weights.ts";

/** Products of a block that take what a layer norm gives. */
export const MIGRATED_PRODUCTS = ["qkv", "mlp1"] as const;

/** One of them. */
export type MigratedProduct = typeof MIGRATED_PRODUCTS[number];

/** The scales of one product of one block. */
export interface Migration {
  /** From 0. */
  readonly block: number;
  /** Which product. */
  readonly product: MigratedProduct;
  /** F32 [n_audio_state], above 0: what each channel of the activations is divided by. */
  readonly scales: Float32Array<ArrayBuffer>;
}

/** Digits kept of a scale in files: finer than an INT8 step by far, and readable. */
const SCALE_DIGITS = 5;

/** A scale as a file has it. What is judged is what is written. */
export function writtenScale(scale: number): number {
  return Number(scale.toPrecision(SCALE_DIGITS));
}

const NORMS: Readonly<Record<MigratedProduct, string>> = { qkv: "attn_ln", mlp1: "mlp_ln" };

/** Name of the layer norm that a product of a block takes its input from. */
export function normBefore(block: number, product: MigratedProduct): string {
  return `encoder.blocks.${block}.${NORMS[product]}`;
}

/** Names of the three vectors [n_audio_state] that a migration adds to a model's. */
export function migratedNames(block: number, product: MigratedProduct): Record<
  "weight" | "bias" | "scales",
  string
> {
  const norm = normBefore(block, product);
  return {
    weight: `${norm}.weight, migrated`,
    bias: `${norm}.bias, migrated`,
    scales: `${norm}, migration`,
  };
}

/**
 * The weights, and beside them what migrated layer norms and products take. Three vectors a migration are read or made;
 * no matrix is.
 *
 * @throws {SottoError} E_MODEL_MISMATCH if a layer norm is missing; what reading a tensor throws.
 */
export async function withMigrations(
  weights: WeightStore,
  dims: EncoderDimensions,
  migrations: readonly Migration[],
): Promise<WeightStore> {
  if (migrations.length === 0) return weights;
  const added: StoredTensor[] = [];
  for (const { block, product, scales } of migrations) {
    const norm = normBefore(block, product);
    const names = migratedNames(block, product);
    for (const part of ["weight", "bias"] as const) {
      const values = await readFloat32(weights.get(`${norm}.${part}`, [dims.n_audio_state]));
      added.push(inMemory(names[part], values.map((value, channel) => value / scales[channel])));
    }
    added.push(inMemory(names.scales, scales));
  }
  return new WeightStore([...weights.names.map((name) => weights.find(name)!), ...added]);
}

function inMemory(name: string, values: Float32Array<ArrayBuffer>): StoredTensor {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return {
    name,
    dtype: "F32",
    shape: [values.length],
    file: { bytes },
    byteOffset: 0,
    byteLength: bytes.length,
  };
}

/**
 * What the encoder's products are computed in on the NPU: a precision policy names the type of each product's operands.
 *
 * Errors are relative L2 against F32, on real speech and the base encoder; `deno task npu-report` measures them.
 *
 * @module
 */

import { SottoError } from "../../errors.ts";
import { didYouMean } from "../../nearest.ts";
import type { OverlayDesign, TileType } from "./design.ts";

/** Type of a product's operands on the NPU. */
export type NpuOperand = "bf16" | "bfp16" | "i8";

/** How integer operands are scaled. */
export type Scaling = "tensor" | "vector";

/** A precision policy. */
export interface NpuPolicy {
  /** Its name. */
  readonly name: NpuPrecision;
  /** Operands of the linear layers. */
  readonly linear: NpuOperand;
  /** Layers, the first ones, that compute in bf16 instead. */
  readonly exactLayers: number;
  /** Of `i8`: one scale for a whole matrix, or one for each row of activations and each column of weights. */
  readonly scaling: Scaling;
}

/**
 * - `bf16`: every product; any NPU.
 * - `bfp16`: linear layers in block floating point, those of layer 0, whose outliers make most of the error, in bf16;
 *   XDNA2.
 * - `bfp16-all`: the same without an exception.
 * - `int8`: linear layers in INT8 with a scale for each row and column, those of layer 0 in bf16.
 * - `int8-vector`: the same without an exception.
 * - `int8-tensor`: one scale for a matrix, as the system before this one had it.
 */
export type NpuPrecision = "bf16" | "bfp16" | "bfp16-all" | "int8" | "int8-vector" | "int8-tensor";

const POLICIES: Readonly<Record<NpuPrecision, NpuPolicy>> = {
  "bf16": { name: "bf16", linear: "bf16", exactLayers: 0, scaling: "vector" },
  "bfp16": { name: "bfp16", linear: "bfp16", exactLayers: 1, scaling: "vector" },
  "bfp16-all": { name: "bfp16-all", linear: "bfp16", exactLayers: 0, scaling: "vector" },
  "int8": { name: "int8", linear: "i8", exactLayers: 1, scaling: "vector" },
  "int8-vector": { name: "int8-vector", linear: "i8", exactLayers: 0, scaling: "vector" },
  "int8-tensor": { name: "int8-tensor", linear: "i8", exactLayers: 0, scaling: "tensor" },
};

/** Every policy's name. */
export const NPU_PRECISIONS: readonly NpuPrecision[] = Object.keys(POLICIES) as NpuPrecision[];

/** Whether an overlay multiplies operands of that type. */
export function multiplies(design: OverlayDesign, operand: TileType): boolean {
  return design.programs.some((program) => program.kind === "matmul" && program.input === operand);
}

/**
 * A policy by its name, for an overlay.
 *
 * @throws {SottoError} E_OPTION if there is none; E_DEVICE if this NPU does not multiply its operands.
 */
export function policyNamed(name: string, design: OverlayDesign): NpuPolicy {
  const policy = POLICIES[name as NpuPrecision];
  if (!Object.hasOwn(POLICIES, name)) {
    throw new SottoError(
      "E_OPTION",
      `Cannot compute in "${name}" on the NPU: precision must be one of ${NPU_PRECISIONS.join(", ")}`,
      { hint: didYouMean(name, NPU_PRECISIONS) },
    );
  }
  if (!multiplies(design, policy.linear)) {
    throw new SottoError(
      "E_DEVICE",
      `Cannot compute in "${name}" on this NPU: its multipliers do not take ${policy.linear} (${design.generation})`,
      { hint: "bfp16 needs XDNA2; take bf16." },
    );
  }
  return policy;
}

/**
 * The policy for a precision of the encoder's: `auto` is the fastest that is safe for transcripts.
 *
 * @throws {SottoError} E_OPTION for `f32`, which no NPU multiplies.
 */
export function policyFor(precision: "auto" | "f32" | "half" | "int8", design: OverlayDesign): NpuPolicy {
  switch (precision) {
    case "auto":
      return POLICIES[multiplies(design, "bfp16") ? "bfp16" : "bf16"];
    case "half":
      return POLICIES.bf16;
    case "int8":
      return POLICIES.int8;
    case "f32":
      throw new SottoError(
        "E_OPTION",
        "Cannot compute in f32 on the NPU: its multipliers take at most bf16",
        {
          hint: "Take --device cpu, or --precision half.",
        },
      );
  }
}

/** Operands of a linear layer's product in a layer of the encoder. */
export function operandOf(policy: NpuPolicy, layer: number): NpuOperand {
  return layer < policy.exactLayers ? "bf16" : policy.linear;
}

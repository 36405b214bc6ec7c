/**
 * Whole encoders on XDNA1: published, modelled as they were built, and modelled as this project runs them.
 *
 * @module
 */

import { planEncoder } from "../../encoder/plan.ts";
import {
  CATALOGUE,
  demandsOf,
  ENCODER_NPU1,
  type HostRates,
  MODELLED_CLOCKS,
  selectKernels,
} from "../../kernels/npu/mod.ts";
import { modelledEncoder, PUBLISHED_ENCODERS } from "../../kernels/npu/published.ts";
import { textTable } from "./text_table.ts";

/** The kernels of the encoder's overlay for XDNA1 that compute in bf16. */
const KERNELS = CATALOGUE.filter(({ design, name }) =>
  design === ENCODER_NPU1 && (name.includes("bf16") || name.includes("attention"))
);

/** Published encoders beside their model, and ours. */
export function encoderTable(host: HostRates): string {
  const clock = MODELLED_CLOCKS.npu1;
  const rows = PUBLISHED_ENCODERS.map((encoder) => {
    const { name, milliseconds, fitted, state, layers, heads } = encoder;
    const modelled = modelledEncoder(encoder, clock);
    const plan = planEncoder({
      n_mels: name === "turbo" || name === "large-v3" ? 128 : 80,
      n_audio_ctx: 1500,
      n_audio_state: state,
      n_audio_head: heads,
      n_audio_layer: layers,
    });
    const ours = selectKernels(demandsOf(plan), KERNELS, clock, host, "npu");
    const npu = selectKernels(demandsOf(plan), KERNELS, clock, { ...host, convert: Infinity }, "npu");
    return [
      name,
      milliseconds,
      modelled.toFixed(0),
      `${(100 * (modelled / milliseconds - 1)).toFixed(1)} %`,
      fitted ? "fitted" : "checked",
      ours.launches,
      (npu.total / 1e6).toFixed(0),
      (ours.total / 1e6).toFixed(0),
    ];
  });
  return textTable([
    [
      "whole encoder, XDNA1",
      "published ms",
      "modelled",
      "off by",
      "",
      "our launches",
      "our NPU ms, modelled",
      "with the host",
    ],
    ...rows,
  ]);
}

/** A calibration of the demo model's shape, for tests that spoil it. */

import type { Calibration } from "../../encoder/calibration.ts";
import { fingerprintOf } from "../../encoder/fingerprint.ts";
import { builtInPolicy } from "../../encoder/policy.ts";
import { openCheckpoint } from "../../model/open.ts";
import { DEMO_MODEL } from "../support/command.ts";

/** The built-in choice with a migration, and a report that need not be true. */
export async function demoCalibration(changes: Partial<Calibration> = {}): Promise<Calibration> {
  const { dims: { encoder: dims }, weights } = await openCheckpoint(DEMO_MODEL);
  return {
    dims,
    fingerprint: await fingerprintOf(dims, weights),
    policy: builtInPolicy("int8", dims.n_audio_layer),
    migrations: [{
      block: 2,
      product: "mlp1",
      scales: Float32Array.from({ length: dims.n_audio_state }, (_, i) => 0.5 + (i % 7) / 4),
    }],
    report: {
      date: "2026-03-01",
      target: 0.02,
      device: "a processor",
      arithmetic: "gemm i8",
      clips: [{ name: "speech", kind: "recording", held_out: true, error: 0.0125, built_in: 0.015 }],
    },
    ...changes,
  };
}

/**
 * What an NPU library must do, whichever it is: run on the emulated library directly, and through AMD's libxrt with the same
 * model beneath it.
 *
 * @module
 */

import { FAULTS } from "./_npu_faults.ts";
import { REFUSALS } from "./_refusals.ts";
import { RUNS } from "./_runs.ts";
import type { Behaviour } from "./_setup.ts";

export type { Behaviour } from "./_setup.ts";

/** Every behaviour. */
export const BEHAVIOURS: readonly Behaviour[] = [...RUNS, ...REFUSALS, ...FAULTS];

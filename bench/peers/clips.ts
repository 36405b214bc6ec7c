/**
 * What encoders are judged by: speech, speech before a long silence, and speech in noise.
 *
 * @module
 */

import { loadAudio } from "../../audio/mod.ts";
import type { Device } from "../../kernels/device.ts";
import { logMel, padOrTrim } from "../../mel/mod.ts";

/** One window. */
export interface Clip {
  /** Short. */
  readonly name: string;
  /** F32 [80, 3000]. */
  readonly logMel: Float32Array<ArrayBuffer>;
  /** Its features in F32, where somebody else computed them: F32 [1500, 512]. */
  readonly expected?: Float32Array;
}

/** Reads the first 30 s of a recording as a clip. */
export async function clipOf(name: string, path: string, device: Device): Promise<Clip> {
  return { name, logMel: (await logMel(padOrTrim(await loadAudio(path)), { device, bands: 80 })).data };
}

/**
 * Live transcription in tests: without a clock, so that every run is the same.
 */

import { paced } from "../../bench/paced_samples.ts";
import {
  type LiveOptions,
  type LiveTranscript,
  type LiveUpdate,
  loadModel,
  type WhisperModel,
} from "../../mod.ts";
import { DEMO_MODEL } from "../support/command.ts";
import { HAS_LIBRARY, LIBRARY_PATH } from "../support/cpu_library.ts";

/** The demo model, where it is fastest here. */
export const load = (): Promise<WhisperModel> =>
  loadModel(DEMO_MODEL, HAS_LIBRARY ? { library: LIBRARY_PATH, precision: "f32" } : { device: "portable" });

/** Feeds samples as they are answered, `chunk` seconds at a time. */
export async function live(
  model: WhisperModel,
  samples: Float32Array,
  { chunk = 0.5, ...options }: LiveOptions & { readonly chunk?: number } = { language: "en" },
): Promise<{ updates: LiveUpdate[]; transcript: LiveTranscript }> {
  const source = paced(samples, chunk, options.interval);
  const run = model.transcribeStream(source, options);
  const updates: LiveUpdate[] = [];
  let step = await run.next();
  for (; !step.done; step = await run.next()) {
    updates.push(step.value);
    source.answered();
  }
  return { updates, transcript: step.value };
}

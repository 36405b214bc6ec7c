/**
 * Runs the demo model's encoder for ever. As a worker it says "running" once it does; as a program it exits with
 * status 3 in the middle of a run, or throws there if its argument is "throw".
 */

import { Encoder } from "../../encoder/mod.ts";
import { LIBRARY_PATH } from "../support/cpu_library.ts";
import { PROJECT_ROOT } from "../support/shared_data.ts";

const options = { device: "cpu", library: LIBRARY_PATH, threads: 2, variant: "ref" } as const;
const encoder = await Encoder.load(new URL("models/demo", PROJECT_ROOT), options);
const quiet = new Float32Array(80 * 3000);

if (!("DedicatedWorkerGlobalScope" in globalThis)) {
  encoder.encode(quiet);
  setTimeout(() => {
    if (Deno.args[0] === "throw") throw new Error("in the middle of a run");
    Deno.exit(3);
  }, 10);
} else {
  const running = encoder.encode(quiet);
  (self as unknown as { postMessage(text: string): void }).postMessage("running");
  await running;
  for (;;) await encoder.encode(quiet);
}

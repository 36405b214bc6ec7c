/**
 * Speech of synthesizers that are installed: voices that no recording of a folder has.
 *
 * @module
 */

import { readRecording, type Recording } from "./clips.ts";

const TEXT =
  "The old lighthouse keeper counted seven ships before the fog came in, and wrote their names down. " +
  "Nobody on the island had expected more than three that week, so he lit the lamp an hour early.";

/** Each with the arguments that make it write `path`. */
const SYNTHESIZERS: readonly (readonly [string, (path: string) => string[]])[] = [
  ["espeak-ng", (path) => ["-v", "en-gb", "-s", "150", "-w", path, TEXT]],
  ["flite", (path) => ["-voice", "slt", "-t", TEXT, "-o", path]],
];

/** A recording by each synthesizer there is; none is no error. */
export async function spokenRecordings(): Promise<Recording[]> {
  const recordings: Recording[] = [];
  for (const [program, args] of SYNTHESIZERS) {
    const path = await Deno.makeTempFile({ suffix: ".wav" });
    try {
      const { success } = await new Deno.Command(program, {
        args: args(path),
        stdout: "null",
        stderr: "null",
      }).output();
      if (success) recordings.push(await readRecording(path, `${program}'s voice`));
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    } finally {
      await Deno.remove(path);
    }
  }
  return recordings;
}

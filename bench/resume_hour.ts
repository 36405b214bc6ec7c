/**
 * An hour of speech, transcribed at once with one thread and with two, and killed five times at random and resumed:
 * checks that all three come to the same bytes.
 *
 *     deno run -A bench/resume_hour.ts [--seconds 3600] [--kills 5] [--seed N]
 *
 * @module
 */

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { syntheticRecording } from "./synthetic_recording.ts";

const ROOT = new URL("../", import.meta.url);
const COMMAND = fileURLToPath(new URL("examples/transcribe.ts", ROOT));
const MODEL = fileURLToPath(new URL("models/demo", ROOT));

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "3600" },
    kills: { type: "string", default: "5" },
    seed: { type: "string", default: `${Date.now() % 1_000_000}` },
  },
});

function start(input: string, out: string, threads: number, more: readonly string[] = []): Deno.ChildProcess {
  // deno-fmt-ignore
  const args = [
    "run", "-A", "--no-check", COMMAND, "--model", MODEL, "--device", "cpu", "--threads", `${threads}`,
    "--language", "en", "--beam_size", "None", "--verbose", "False", "-f", "json,srt", "-o", out, ...more, input,
  ];
  return new Deno.Command(Deno.execPath(), { args, cwd: fileURLToPath(ROOT), stdout: "null", stderr: "null" })
    .spawn();
}

/** Seconds that a run took from its start to its end. */
async function timed(child: Deno.ChildProcess): Promise<number> {
  const begun = performance.now();
  const { success } = await child.status;
  if (!success) throw new Error("Cannot compare: the command failed");
  return (performance.now() - begun) / 1000;
}

async function main(): Promise<number> {
  const folder = await Deno.makeTempDir({ prefix: "resume-hour" });
  try {
    const input = join(folder, "hour.wav");
    await syntheticRecording(input, Number(values.seconds));
    const out = (name: string) => join(folder, name);
    const one = await timed(start(input, out("one"), 1));
    const two = await timed(start(input, out("two"), 2));
    console.log(`uninterrupted: ${one.toFixed(1)} s with 1 thread, ${two.toFixed(1)} s with 2`);

    // A run that is gone on with reads the recording anew before it comes to a window: kills fall behind that as well.
    let state = Number(values.seed) | 1;
    const draw = () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
      return (state >>> 0) / 2 ** 32;
    };
    const resume = ["--resume"];
    const kills: string[] = [];
    for (let i = 0; i < Number(values.kills); i++) {
      const child = start(input, out("resumed"), 2, resume);
      const after = two * (0.1 + 0.3 * draw());
      const timer = setTimeout(() => child.kill("SIGKILL"), 1000 * after);
      const { signal } = await child.status;
      clearTimeout(timer);
      if (signal !== "SIGKILL") break;
      kills.push(after.toFixed(2));
    }
    await timed(start(input, out("resumed"), 2, resume));
    console.log(
      `killed ${kills.length} times, after ${kills.join(", ")} s (seed ${values.seed}), and resumed`,
    );
    let same = kills.length === Number(values.kills);
    if (!same) {
      console.log(`${values.kills} kills were wanted: it was finished before; another --seed may do`);
    }
    for (const format of ["json", "srt"]) {
      const [a, b, c] = await Promise.all(
        ["one", "two", "resumed"].map((name) => Deno.readTextFile(join(out(name), `hour.${format}`))),
      );
      console.log(`${format}: ${a.length} characters; threads ${a === b}; resumed ${b === c}`);
      same &&= a === b && b === c;
    }
    console.log(same ? "all the same" : "NOT the same, or not killed often enough");
    return same ? 0 : 1;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

if (import.meta.main) Deno.exit(await main());

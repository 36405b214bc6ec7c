// Transcribes for a number of seconds at most, and prints what there is by then.
//
//   deno run -A examples/06_cancel.ts [--model NAME] [--seconds N] FILE

import { loadModel, SottoError } from "../mod.ts";
import { commandLine } from "./_command_line.ts";

const usage = "[--model NAME] [--seconds N] FILE";
const { options, files: [file] } = commandLine(usage, 1, { model: "base", seconds: 10 });

using model = await loadModel(options.model);

// `signal` ends the work at once, between two tokens, with the error E_ABORTED; AbortSignal.any() joins several, such
// as a client that leaves. `stop` in its place lets the window in progress end and gives the transcript so far.
const signal = AbortSignal.timeout(1000 * options.seconds);
try {
  for await (const { fraction, segments } of model.progress(file, { signal })) {
    console.log(`${Math.round(100 * fraction)} %`, segments.map(({ text }) => text).join("").trim());
  }
  console.log("done in time");
} catch (error) {
  if (!(error instanceof SottoError && error.code === "E_ABORTED")) throw error;
  console.log(`stopped after ${options.seconds} s`);
}

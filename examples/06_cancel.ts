// Transcribes for a number of seconds at most, and prints what there is by then.
//
//   deno run -A examples/06_cancel.ts [--model NAME] [--seconds N] FILE

import { parseArgs } from "node:util";
import { loadModel, SottoError } from "../mod.ts";

const { values, positionals: [file] } = parseArgs({
  options: { model: { type: "string", default: "base" }, seconds: { type: "string", default: "10" } },
  allowPositionals: true,
});
if (!file) {
  console.error("usage: 06_cancel.ts [--model NAME] [--seconds N] FILE");
  Deno.exit(64);
}
using model = await loadModel(values.model);

// `signal` ends the work at once, between two tokens, with the error E_ABORTED; AbortSignal.any() joins several, such
// as a client that leaves. `stop` in its place lets the window in progress end and gives the transcript so far.
const signal = AbortSignal.timeout(1000 * Number(values.seconds));
try {
  for await (const { fraction, segments } of model.progress(file, { signal })) {
    console.log(`${Math.round(100 * fraction)} %`, segments.map(({ text }) => text).join("").trim());
  }
  console.log("done in time");
} catch (error) {
  if (!(error instanceof SottoError && error.code === "E_ABORTED")) throw error;
  console.log(`stopped after ${values.seconds} s`);
}

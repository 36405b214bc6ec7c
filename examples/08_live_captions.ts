// Live captions of a microphone: what is certain stays, what may still change is rewritten on the line.
//
//   arecord -q -f S16_LE -r 16000 | deno run -A examples/08_live_captions.ts [--model NAME] [--language CODE]

import { loadModel } from "../mod.ts";
import { commandLine } from "./_command_line.ts";

const usage = "[--model NAME] [--language CODE]";
const { options } = commandLine(usage, 0, { model: "base", language: "" });

/** 16-bit samples as F32. A chunk of the pipe may end within a sample. */
async function* microphone(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Float32Array> {
  let half: number[] = [];
  for await (const chunk of bytes) {
    const whole = Uint8Array.from([...half, ...chunk]);
    half = whole.length % 2 === 1 ? [whole.at(-1)!] : [];
    const view = new DataView(whole.buffer);
    yield Float32Array.from({ length: whole.length >> 1 }, (_, i) => view.getInt16(2 * i, true) / 32768);
  }
}

const show = (text: string) => Deno.stdout.writeSync(new TextEncoder().encode(text));
const terminal = Deno.stdout.isTerminal();

using model = await loadModel(options.model);
let line = ""; // the phrase as far as it is certain
for await (
  const { committed, partial, segment } of model.transcribeStream(microphone(Deno.stdin.readable), {
    language: options.language || null,
  })
) {
  line += committed;
  const room = terminal ? Deno.consoleSize().columns - 1 : Infinity; // a longer line cannot be rewritten
  const caption = segment ? line.trim() : (line + partial).trim().slice(-room);
  show(`\r\x1b[K${caption}${segment ? "\n" : ""}`);
  if (segment) line = "";
}

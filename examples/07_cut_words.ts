// Every place where a word is said, cut out of the recording as a WAV file of its own.
//
//   deno run -A examples/07_cut_words.ts [--model NAME] [--margin SECONDS] FILE WORD FOLDER

import { join } from "node:path";
import { loadAudio, loadModel, SAMPLE_RATE, wordTimes } from "../mod.ts";
import { wavBytes } from "../notebook/mod.ts";
import { commandLine } from "./_command_line.ts";

const usage = "[--model NAME] [--margin SECONDS] FILE WORD FOLDER";
const { options, files: [file, wanted, folder] } = commandLine(usage, 3, { model: "base", margin: 0.05 });
Deno.mkdirSync(folder, { recursive: true });
const bare = (word: string) => word.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, "");

using model = await loadModel(options.model);
const audio = await loadAudio(file);
const words = wordTimes(await model.transcribe(audio, { wordTimestamps: true }));
const found = words.filter(({ word }) => bare(word) === bare(wanted));

for (const [i, { start, end, probability }] of found.entries()) {
  const from = Math.max(0, Math.floor((start - options.margin) * SAMPLE_RATE));
  const to = Math.ceil((end + options.margin) * SAMPLE_RATE);
  const path = join(folder, `${bare(wanted)}_${i + 1}.wav`);
  await Deno.writeFile(path, wavBytes(audio.subarray(from, to)));
  console.log(`${path}: ${start.toFixed(2)} to ${end.toFixed(2)} s, ${Math.round(100 * probability)} %`);
}
if (found.length === 0) console.log(`"${wanted}" is not said`);

// Subtitles for every recording of a folder, beside it. What has them already is skipped; two are read at a time.
//
//   deno run -A examples/04_subtitles.ts [--model NAME] FOLDER

import { join } from "node:path";
import { loadModel, SottoError, writeTranscript } from "../mod.ts";
import { commandLine } from "./_command_line.ts";

const { options, files: [folder] } = commandLine("[--model NAME] FOLDER", 1, { model: "base" });

const names = Array.from(Deno.readDirSync(folder), ({ name }) => name).sort();
const todo = names.filter((name) => /\.(wav|flac|mp3|ogg|opus|m4a|mp4|mkv|webm)$/i.test(name))
  .map((name) => ({ name, subtitles: `${name.replace(/\.\w+$/, "")}.srt` }))
  .filter(({ name, subtitles }) => !names.includes(subtitles) || void console.log(`${name}: done before`));

await using model = await loadModel(options.model);
const next = todo.values(); // both workers take from it

async function work(): Promise<void> {
  for (const { name, subtitles } of next) {
    try {
      const transcript = await model.transcribe(join(folder, name));
      const unfinished = join(folder, `.${subtitles}.part`);
      await Deno.writeTextFile(unfinished, writeTranscript(transcript, "srt"));
      await Deno.rename(unfinished, join(folder, subtitles)); // whole or absent
      console.log(`${name}: ${transcript.segments.length} subtitles`);
    } catch (error) {
      if (!(error instanceof SottoError)) throw error;
      console.log(`${name}: ${error.message}`);
      Deno.exitCode = error.exitStatus;
    }
  }
}
await Promise.all([work(), work()]);
